"""What every command is given: the cluster as the caller may use it, and how the namespace was chosen."""

import os
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.errors import ConfigError
from kubectl_agentidp.client import FIELD_MANAGER, PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.kubeconfig import find_source
from kubectl_agentidp.kuberc import plugin_policy


@asynccontextmanager
async def connected(options: Namespace) -> AsyncIterator[PluginClient]:
    """The cluster that the options, the environment and the kubeconfig name. Raises Failure."""
    try:
        identity = ClientIdentity(find_source(options, os.environ), plugin_policy(os.environ))
    except ConfigError as error:
        raise CommandError(error.message, error.advice) from error
    cluster = KubeClient(identity, FIELD_MANAGER, compressed=True)
    try:
        yield PluginClient(cluster, options.namespace or identity.config.namespace)
    finally:
        await cluster.close()
