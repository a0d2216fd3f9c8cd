"""What every command is given: the cluster as the caller may use it, and how the namespace was chosen."""

import os
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.kube.cluster import Cluster
from kubectl_agentidp.access import FIELD_MANAGER, Access
from kubectl_agentidp.kubeconfig import find_kubeconfig


@asynccontextmanager
async def connected(options: Namespace) -> AsyncIterator[Access]:
    """The cluster that the options, the environment and the kubeconfig name."""
    kubeconfig = find_kubeconfig(options.kubeconfig, options.context, os.environ)
    found = await kubeconfig.read()
    cluster = Cluster(found.configuration, FIELD_MANAGER, kubeconfig.configuration, compressed=True)
    try:
        yield Access(cluster, options.namespace or found.namespace)
    finally:
        await cluster.close()
