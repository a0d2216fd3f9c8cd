"""What every Kubernetes object has: metadata, owner references, conditions (API conventions, "Metadata" and "Conditions")."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]
"""A moment with a time zone; in JSON RFC 3339."""


def utc_text(time: datetime) -> str:
    """A time as messages and the API server write it, to the second: `2026-03-01T12:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class NamespacedName(NamedTuple):
    """Where an object is: its namespace ("" for a cluster-scoped kind) and its name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an object: immutable, so never in a cycle, and nothing for Python's garbage collector to look through."""


class OwnerReference(Part, frozen=True, kw_only=True):
    """An object that the garbage collector must see alive, else it removes the one that carries this."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectRef(Part, frozen=True, kw_only=True):
    """Which object it is, and which version of it: what can be read of any object, also of one that is not understood."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class ObjectMeta(ObjectRef, frozen=True, kw_only=True):
    """The part of `metav1.ObjectMeta` that the programs read or write."""

    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()


class Object(Part, frozen=True, kw_only=True):
    """What the API server calls an object: it has metadata, and so a name that is unique among its kind."""

    metadata: ObjectMeta = ObjectMeta()

    @property
    def key(self) -> NamespacedName:
        """Namespace and name."""
        return NamespacedName(self.metadata.namespace, self.metadata.name)


def age_of(value: Object) -> tuple[datetime, str]:
    """Sorts older objects before younger ones, always in the same order."""
    return value.metadata.creation_timestamp or datetime.max.replace(tzinfo=UTC), value.metadata.uid


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Part, frozen=True, kw_only=True):
    """A `metav1.Condition`: one observable fact with a reason for machines and a message for people."""

    type: str
    status: ConditionStatus
    reason: str
    message: str
    last_transition_time: Time
    observed_generation: int = 0
