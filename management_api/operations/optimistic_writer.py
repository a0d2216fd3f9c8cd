"""Optimistic writer: reads one object, computes a patch from it, and writes the patch only if the object has not changed since.

The patch carries the `resourceVersion` that was read, so the API server answers 409 Conflict to a write that is based on an
older state (Kubernetes API conventions, "Concurrency control and consistency"). Such a write is tried again from the read on.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple

from agentidp.kube.client import KubeClient, retry_on_conflict
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import Kind, ObjectT
from management_api.cache.agents import CachedAgent
from management_api.cache.credentials import CachedCredential
from management_api.errors import ApiFailure, agent_not_found, credential_not_found, unavailable
from management_api.limits import Limits


class Target(NamedTuple):
    """The object that an operation changes. Another object of the same name has another uid, and counts as `missing`."""

    namespace: str
    name: str
    uid: str
    missing: ApiFailure


def agent_target(agent: CachedAgent) -> Target:
    """Return where the agent is stored."""
    return Target(agent.namespace, agent.name, agent.client.uid, agent_not_found(agent.agent_id))


def credential_target(credential: CachedCredential) -> Target:
    """Return where the credential is stored."""
    missing = credential_not_found(credential.credential_id)
    return Target(credential.namespace, credential.name, credential.credential_id, missing)


class OptimisticWriter(Generic[ObjectT]):
    """Writes objects of one kind. `on_write` gets each object as the API server has stored it."""

    def __init__(self, cluster: KubeClient, kind: Kind[ObjectT], on_write: Callable[[ObjectT], None], limits: Limits) -> None:
        self._cluster = cluster
        self._kind = kind
        self._on_write = on_write
        self._attempts = limits.max_write_attempts

    async def find(self, namespace: str, name: str) -> ObjectT | None:
        """Return the object of this name, if there is one. Raises ApiError."""
        return await self._cluster.find(self._kind, namespace, name)

    async def read(self, target: Target) -> ObjectT:
        """Return the object as it is stored now. Raises `target.missing` and ApiError."""
        try:
            stored = await self._cluster.get(self._kind, target.namespace, target.name)
        except NotFound as error:
            raise target.missing from error
        if stored.metadata.uid != target.uid:
            raise target.missing
        return stored

    async def create(self, value: ObjectT) -> ObjectT:
        """Create the object. Raises ApiError."""
        stored = await self._cluster.create(self._kind, value)
        self._on_write(stored)
        return stored

    async def change(self, target: Target, patch_for: Callable[[ObjectT], Mapping[str, Any]]) -> ObjectT:
        """Write the patch for the object as it is now, and return the result; {} writes nothing.

        `patch_for` may raise ApiFailure, and then nothing is written. Raises `target.missing` and ApiError.
        """

        async def attempt() -> ObjectT:
            current = await self.read(target)
            patch = patch_for(current)
            return await self._write(current, patch) if patch else current

        try:
            return await retry_on_conflict(attempt, self._attempts)
        except Conflict as conflict:
            raise unavailable("Others keep changing this object. Nothing was done.") from conflict

    async def delete(self, current: ObjectT) -> None:
        """Delete exactly this version of the object. Raises ApiError."""
        await self._cluster.delete(self._kind, current)

    async def _write(self, current: ObjectT, patch: Mapping[str, Any]) -> ObjectT:
        meta = current.metadata
        locked = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": meta.resource_version}}
        stored = await self._cluster.patch(self._kind, meta.namespace, meta.name, locked)
        self._on_write(stored)
        return stored
