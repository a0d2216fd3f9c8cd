"""What the kinds share, as in `meta/v1` of Kubernetes: metadata, owner references, conditions, times and durations.

Source: Kubernetes API conventions, "Metadata" and "Conditions". No kind is declared here.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)

Time = Annotated[datetime, Meta(tz=True)]
"""A timestamp with a time zone; RFC 3339 in JSON."""


class NamespacedName(NamedTuple):
    """The namespace ("" for a cluster-scoped kind) and the name of an object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an object. It is immutable and in no cycle, so garbage collection does not track it."""


class OwnerReference(Part, frozen=True, kw_only=True):
    """An owner: Kubernetes deletes the object with this reference when all its owners are gone."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectRef(Part, frozen=True, kw_only=True):
    """The identity and version of an object, which can be read of objects of any kind."""

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
    """An object of the API: it has metadata, and so a name that is unique within its kind and namespace."""

    metadata: ObjectMeta = ObjectMeta()

    @property
    def key(self) -> NamespacedName:
        """The namespace and the name of the object."""
        return NamespacedName(self.metadata.namespace, self.metadata.name)


def age_of(value: Object) -> tuple[datetime, str]:
    """The sort key by which older objects come first; objects of one age have a stable order."""
    return value.metadata.creation_timestamp or datetime.max.replace(tzinfo=UTC), value.metadata.uid


def rfc3339(timestamp: datetime, timespec: str = "seconds") -> str:
    """The timestamp in UTC as RFC 3339 text, cut to `timespec` (as `datetime.isoformat` names it): `2026-03-01T12:00:00Z`."""
    return timestamp.astimezone(UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime | None:
    """The timestamp that RFC 3339 text names, in UTC; None for any other text, and where no calendar has the day."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) if _RFC3339.fullmatch(text) else None
    except (ValueError, OverflowError):  # a month of 32 days, or a time before the year 1
        return None


class ConditionStatus(StrEnum):
    """The status of a condition: whether it holds."""

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


_DURATION = re.compile(r"(?=.)(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
"""The subset of Go's notation that the CRDs admit: `720h`, `1h30m`, `45s`."""


def parse_duration(text: str) -> timedelta:
    """The duration that `text` names. Raises ValueError, quoting the text, where it names none."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration: write hours, minutes and seconds in this order, like 720h or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The text that `parse_duration` reads as this duration, in whole seconds."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
