"""A model of the API server, for tests that need a fault after exactly this write.

It has the semantics that the writers rely on and nothing else: unique names, uids, resource versions that grow, optimistic
locks, the status subresource, preconditions. `tests/integration/operator/test_model_cluster.py` holds it to the real one.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from agentidp.domain.resources import NamespacedName
from agentidp.kube.client import MERGE_PATCH, STRATEGIC_MERGE_PATCH
from agentidp.kube.errors import Conflict, Invalid, NotFound, Unreachable
from agentidp.kube.kinds import SECRETS, Kind, ObjectT


class Fault(Enum):
    """What can go wrong with one write."""

    CRASH_BEFORE = "the process ends before the write is sent"
    CRASH_AFTER = "the process ends after the write was carried out"
    LOST_ANSWER = "the write is carried out, the answer is lost"
    NEVER_ARRIVED = "the write is not carried out, nobody says so"
    OUTRUN = "somebody else writes the object first"


class Crashed(BaseException):
    """The process is gone: nothing in it may catch this."""


@dataclass
class ModelCluster:
    """Speaks `agentidp.kube.client.Cluster`."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    faults: list[Fault] = field(default_factory=list)
    """What becomes of the next writes, first to last; no more faults after that."""
    written: Callable[[], None] = lambda: None
    """Called after each change of any object."""
    _objects: dict[tuple[str, NamespacedName], Any] = field(default_factory=dict)
    version: int = 0
    """The resource version of the last write of any object."""

    async def get(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT:
        """As the real one."""
        return self._existing(kind, NamespacedName(namespace, name))

    async def find(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT | None:
        """As the real one."""
        found: ObjectT | None = self._objects.get((kind.plural, NamespacedName(namespace, name)))
        return found

    async def manifest(self, kind: Kind[ObjectT], namespace: str, name: str) -> dict[str, msgspec.Raw]:
        """As the real one."""
        stored = await self.get(kind, namespace, name)
        return msgspec.json.decode(msgspec.json.encode(kind.encode(stored)), type=dict[str, msgspec.Raw])

    async def create_manifest(
        self,
        kind: Kind[ObjectT],
        namespace: str,  # noqa: ARG002 as the real one
        manifest: Mapping[str, Any],
        field_manager: str | None = None,  # noqa: ARG002 managed fields are not modelled
    ) -> ObjectT:
        """As the real one."""
        return await self.create(kind, kind.decode(msgspec.json.encode(manifest)))

    async def create(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        """As the real one."""
        with self._fault(kind, value):
            if (kind.plural, value.key) in self._objects:
                raise Conflict(409, "AlreadyExists", f"{kind.plural} {value.key} already exists")
            meta = with_fields(value.metadata, uid=str(uuid.uuid4()), creation_timestamp=self.now(), generation=1)
            return self._store(kind, with_fields(value, metadata=meta))

    async def replace_status(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        """As the real one."""
        with self._fault(kind, value):
            current: Any = self._existing(kind, value.key)
            if value.metadata.resource_version not in {"", current.metadata.resource_version}:
                raise Conflict(409, "Conflict", f"{kind.plural} {value.key} has been modified")
            return self._store(kind, with_fields(current, status=value.status))  # type: ignore[attr-defined]

    async def patch(
        self,
        kind: Kind[ObjectT],
        namespace: str,
        name: str,
        change: Mapping[str, Any],
        content_type: str = MERGE_PATCH,
    ) -> ObjectT:
        """As the real one: a change of nothing is no write, and the data of an immutable object cannot be changed."""
        with self._fault(kind, self._existing(kind, NamespacedName(namespace, name))):
            current: Any = self._existing(kind, NamespacedName(namespace, name))
            version = current.metadata.resource_version
            if change.get("metadata", {}).get("resourceVersion", version) != version:
                raise Conflict(409, "Conflict", f"{kind.plural} {current.key} has been modified")
            patched = merged(kind, current, change, content_type)
            if patched == current:
                return patched
            if kind is SECRETS and current.immutable and patched.data != current.data:  # type: ignore[attr-defined]
                raise Invalid(422, "Invalid", f"{kind.plural} {current.key} is immutable")
            generation = current.metadata.generation + (kind is not SECRETS and patched.spec != current.spec)  # type: ignore[attr-defined]
            return self._store(kind, with_fields(patched, metadata=with_fields(patched.metadata, generation=generation)))

    async def delete(self, kind: Kind[ObjectT], value: ObjectT) -> None:
        """As the real one."""
        with self._fault(kind, value):
            current = self._existing(kind, value.key)
            meta = value.metadata
            if (meta.uid, meta.resource_version) != (current.metadata.uid, current.metadata.resource_version):
                raise Conflict(409, "Conflict", f"{kind.plural} {value.key} has been modified")
            del self._objects[kind.plural, value.key]
            self.written()

    def change(self, kind: Kind[ObjectT], name: NamespacedName, **fields: Any) -> ObjectT:
        """Somebody else's write: always succeeds; a new spec is a new generation."""
        current = self._existing(kind, name)
        changed = with_fields(current, **fields)
        if "spec" in fields and fields["spec"] != current.spec:  # type: ignore[attr-defined]
            meta = with_fields(changed.metadata, generation=current.metadata.generation + 1)
            changed = with_fields(changed, metadata=meta)
        return self._store(kind, changed)

    def take_away(self, kind: Kind[ObjectT], name: NamespacedName) -> None:
        """Somebody else's delete."""
        self._objects.pop((kind.plural, name), None)
        self.written()

    def all(self, kind: Kind[ObjectT]) -> list[ObjectT]:
        """What a list would show."""
        return [value for (plural, _), value in self._objects.items() if plural == kind.plural]

    def _existing(self, kind: Kind[ObjectT], name: NamespacedName) -> ObjectT:
        found: ObjectT | None = self._objects.get((kind.plural, name))
        if found is None:
            raise NotFound(404, "NotFound", f"{kind.plural} {name} not found")
        return found

    def _store(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        self.version += 1
        stored = with_fields(value, metadata=with_fields(value.metadata, resource_version=str(self.version)))
        self._objects[kind.plural, value.key] = stored
        self.written()
        return stored

    @contextmanager
    def _fault(self, kind: Kind[ObjectT], value: ObjectT) -> Iterator[None]:
        fault = self.faults.pop(0) if self.faults else None
        if fault is Fault.CRASH_BEFORE:
            raise Crashed
        if fault is Fault.NEVER_ARRIVED:
            raise Unreachable("the connection was cut")
        current: ObjectT | None = self._objects.get((kind.plural, value.key))
        if fault is Fault.OUTRUN and current is not None:
            self._store(kind, current)
        yield
        if fault is Fault.CRASH_AFTER:
            raise Crashed
        if fault is Fault.LOST_ANSWER:
            raise Unreachable("the answer was lost")


def merged(kind: Kind[ObjectT], value: ObjectT, change: Mapping[str, Any], content_type: str) -> ObjectT:
    """The object with a patch of this type."""
    change = msgspec.to_builtins(change)
    manifest = _merged(kind.encode(value), change)
    owners = change.get("metadata", {}).get("ownerReferences")
    if owners and content_type == STRATEGIC_MERGE_PATCH:
        before = {one.uid: msgspec.to_builtins(one) for one in value.metadata.owner_references}
        manifest["metadata"]["ownerReferences"] = list((before | {one["uid"]: one for one in owners}).values())
    return kind.decode(msgspec.json.encode(manifest))


def _merged(value: Any, change: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(change, Mapping):
        return change
    kept = {key: one for key, one in value.items() if key not in change} if isinstance(value, Mapping) else {}
    changed = {key: _merged(value.get(key) if isinstance(value, Mapping) else None, one) for key, one in change.items()}
    return kept | {key: one for key, one in changed.items() if one is not None}
