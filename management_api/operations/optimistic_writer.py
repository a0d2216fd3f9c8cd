"""Changes of one kind of resource: read, judged as it is now, and written only if it has not changed since."""

from collections.abc import Callable, Mapping
from typing import Any, Generic

from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import Kind, ObjectT
from management_api.errors import ApiFailure, unavailable

ATTEMPTS = 6


class OptimisticWriter(Generic[ObjectT]):
    """Of one kind; `changed` is told each object as it is stored."""

    def __init__(self, cluster: KubeClient, kind: Kind[ObjectT], changed: Callable[[ObjectT], None]) -> None:
        self._cluster = cluster
        self._kind = kind
        self._changed = changed

    async def read(self, namespace: str, name: str, uid: str, missing: ApiFailure) -> ObjectT:
        """The object as it is now. Raises `missing` where it is gone, or another one has its name; and ApiError."""
        try:
            found = await self._cluster.get(self._kind, namespace, name)
        except NotFound as gone:
            raise missing from gone
        if found.metadata.uid != uid:
            raise missing
        return found

    async def find(self, namespace: str, name: str) -> ObjectT | None:
        """The object of this name, if there is one. Raises ApiError."""
        return await self._cluster.find(self._kind, namespace, name)

    async def create(self, value: ObjectT) -> ObjectT:
        """Create it. Raises ApiError."""
        stored = await self._cluster.create(self._kind, value)
        self._changed(stored)
        return stored

    async def change(
        self, namespace: str, name: str, uid: str, missing: ApiFailure, change: Callable[[ObjectT], Mapping[str, Any]]
    ) -> ObjectT:
        """Write what `change` makes of the object as it is now, once more if it has changed meanwhile; {} is no change.

        `change` may raise Failure, and then nothing is written. Raises `missing` and ApiError.
        """
        for _ in range(ATTEMPTS):
            current = await self.read(namespace, name, uid, missing)
            wanted = change(current)
            if not wanted:
                return current
            try:
                return await self._write(current, wanted)
            except Conflict:
                continue
        raise unavailable("Others keep changing this. Nothing was done.")

    async def delete(self, current: ObjectT) -> None:
        """Delete exactly this version of it. Raises ApiError."""
        await self._cluster.delete(self._kind, current)

    async def _write(self, current: ObjectT, wanted: Mapping[str, Any]) -> ObjectT:
        meta = current.metadata
        locked = {**wanted, "metadata": {**wanted.get("metadata", {}), "resourceVersion": meta.resource_version}}
        stored = await self._cluster.patch(self._kind, meta.namespace, meta.name, locked)
        self._changed(stored)
        return stored
