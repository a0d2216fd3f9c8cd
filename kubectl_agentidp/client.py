"""The cluster as the caller may see and change it. Every refusal is a Failure that says what to do about it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agentidp.domain.resources import NamespacedName
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, ConfigError, Conflict
from agentidp.kube.kinds import Kind, ObjectT
from agentidp.kube.pager import list_all
from kubectl_agentidp.errors import CommandError, explained, keeps_changing

FIELD_MANAGER = "kubectl-agentidp"
TRIES = 10
"""The operator writes a status a few times in a row, then rests: a change meets it once or twice at most."""
BETWEEN_TRIES_SECONDS = 0.1

Spec = Mapping[str, Any]


class PluginClient:
    """Typed requests with the caller's rights, in the namespace that the caller means."""

    def __init__(self, cluster: KubeClient, namespace: str) -> None:
        self.namespace = namespace
        self._cluster = cluster

    async def get(self, kind: Kind[ObjectT], name: str) -> ObjectT:
        """One object of the namespace."""
        with explained("get", kind, self._named(name), self._cluster.server):
            return await self._cluster.get(kind, self.namespace, name)

    async def list(self, kind: Kind[ObjectT], namespace: str = "") -> list[ObjectT]:
        """All objects of a kind, of one namespace or of all, by namespace and name."""
        with explained("list", kind, NamespacedName(namespace, ""), self._cluster.server):
            objects = await list_all(self._cluster, kind, kind.path(namespace))
        return sorted(objects, key=lambda one: one.key)

    async def change(self, kind: Kind[ObjectT], name: str, decide: Callable[[ObjectT], Spec | None]) -> ObjectT | None:
        """The object after merging into its spec what `decide` wants; None, and nothing done, where it wants nothing.

        `decide` is asked again where the object has changed meanwhile, so what is written was decided on what was there.
        """
        conflicts = 0
        while True:
            seen = await self.get(kind, name)
            spec = decide(seen)
            if spec is None:
                return None
            try:
                return await self._merge(kind, seen, spec)
            except Conflict as conflict:
                conflicts += 1
                if conflicts == TRIES:
                    raise keeps_changing(kind, seen.key, conflict) from conflict
            await asyncio.sleep(BETWEEN_TRIES_SECONDS)

    async def _merge(self, kind: Kind[ObjectT], seen: ObjectT, spec: Spec) -> ObjectT:
        change = {"metadata": {"resourceVersion": seen.metadata.resource_version}, "spec": spec}
        with explained("patch", kind, seen.key, self._cluster.server):
            return await self._cluster.patch(kind, *seen.key, change)

    async def clock(self) -> datetime:
        """The time at the API server."""
        try:
            return await self._cluster.clock()
        except ConfigError as error:
            raise CommandError(error.message, error.advice) from error
        except ApiError as error:
            raise CommandError(f"the API server {self._cluster.server} did not tell the time: {error}") from error

    def _named(self, name: str) -> NamespacedName:
        return NamespacedName(self.namespace, name)
