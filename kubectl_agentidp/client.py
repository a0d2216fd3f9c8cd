"""The client of all commands: typed requests with the caller's own rights.

A refusal of the API server is raised as a CommandError that says what to do about it.
"""

import os
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct

from agentidp.domain.resources import NamespacedName
from agentidp.kube.client import KubeClient, retry_on_conflict
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.errors import ApiError, ConfigError, Conflict
from agentidp.kube.kinds import Kind, ObjectT
from agentidp.kube.pager import list_all
from kubectl_agentidp.errors import CommandError, command_errors, too_many_conflicts
from kubectl_agentidp.kubeconfig import find_source
from kubectl_agentidp.kuberc import plugin_policy

FIELD_MANAGER = "kubectl-agentidp"

SpecPatch = Mapping[str, Any]
"""What a command merges into the spec of an object (RFC 7396)."""


class RetryLimits(Struct, frozen=True):
    """How often a change is tried again after a Conflict.

    The operator writes a status a few times in a row and then stops, so a change meets one or two conflicts.
    """

    max_tries: int = 10
    pause_seconds: float = 0.1


DEFAULT_RETRIES = RetryLimits()


class PluginClient:
    """Typed requests in the namespace that the command line or the kubeconfig names."""

    def __init__(self, kube: KubeClient, namespace: str, retries: RetryLimits = DEFAULT_RETRIES) -> None:
        self.namespace = namespace
        self._kube = kube
        self._retries = retries

    async def get(self, kind: Kind[ObjectT], name: str) -> ObjectT:
        """Read one object of the namespace."""
        with command_errors("get", kind, NamespacedName(self.namespace, name), self._kube.server):
            return await self._kube.get(kind, self.namespace, name)

    async def list(self, kind: Kind[ObjectT], namespace: str = "") -> list[ObjectT]:
        """List all objects of a kind, of one namespace or of all, sorted by namespace and name."""
        with command_errors("list", kind, NamespacedName(namespace, ""), self._kube.server):
            objects = await list_all(self._kube, kind, kind.path(namespace))
        return sorted(objects, key=lambda item: item.key)

    async def list_if_allowed(self, kind: Kind[ObjectT]) -> Sequence[ObjectT] | None:
        """List all objects of a kind, of all namespaces; None if the API server refuses it to the caller."""
        try:
            return await self.list(kind)
        except CommandError:
            return None

    async def change(self, kind: Kind[ObjectT], name: str, decide: Callable[[ObjectT], SpecPatch | None]) -> ObjectT | None:
        """Merge the patch that `decide` returns into the spec, and return the changed object; None if there is no patch.

        The patch has the resourceVersion that `decide` was given. After a Conflict the object is read and decided on again.
        """

        async def attempt() -> ObjectT | None:
            current = await self.get(kind, name)
            patch = decide(current)
            return None if patch is None else await self._merge(kind, current, patch)

        try:
            return await retry_on_conflict(attempt, self._retries.max_tries, self._retries.pause_seconds)
        except Conflict as conflict:
            raise too_many_conflicts(kind, NamespacedName(self.namespace, name), conflict) from conflict

    async def _merge(self, kind: Kind[ObjectT], current: ObjectT, patch: SpecPatch) -> ObjectT:
        body = {"metadata": {"resourceVersion": current.metadata.resource_version}, "spec": patch}
        with command_errors("patch", kind, current.key, self._kube.server):
            return await self._kube.patch(kind, *current.key, body)

    async def clock(self) -> datetime:
        """Return the time at the API server, in whole seconds."""
        try:
            return await self._kube.clock()
        except ConfigError as error:
            raise CommandError(error.message, error.advice) from error
        except ApiError as error:
            raise CommandError(f"the API server {self._kube.server} sent no time: {error}") from error


@asynccontextmanager
async def connect(options: Namespace) -> AsyncIterator[PluginClient]:
    """Connect to the cluster that the options, the environment and the kubeconfig name. Raises CommandError."""
    try:
        identity = ClientIdentity(find_source(options, os.environ), plugin_policy(os.environ))
    except ConfigError as error:
        raise CommandError(error.message, error.advice) from error
    kube = KubeClient(identity, FIELD_MANAGER, compressed=True)
    try:
        yield PluginClient(kube, options.namespace or identity.config.namespace)
    finally:
        await kube.close()
