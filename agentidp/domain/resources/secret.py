"""The core kind Secret, whose `repr` has no data."""

from typing import Any

import msgspec

from agentidp.domain.resources.meta import Object, ObjectMeta, Part


class FieldLeaf(msgspec.Struct, frozen=True, gc=False):
    """The value of a leaf in `fieldsV1`: an empty object, of which only the key counts."""


class MetadataFields(msgspec.Struct, frozen=True, omit_defaults=True):
    """`f:metadata` of `fieldsV1`: the keys of the labels and annotations that a manager owns, each with the prefix `f:`."""

    labels: dict[str, FieldLeaf] = msgspec.field(name="f:labels", default_factory=dict)
    annotations: dict[str, FieldLeaf] = msgspec.field(name="f:annotations", default_factory=dict)


class FieldsV1(msgspec.Struct, frozen=True, omit_defaults=True):
    """`metav1.FieldsV1`, of which only the metadata is read."""

    metadata: MetadataFields = msgspec.field(name="f:metadata", default=MetadataFields())


class ManagedFieldsEntry(Part, frozen=True, kw_only=True):
    """`metav1.ManagedFieldsEntry`: the fields that one manager wrote last."""

    manager: str = ""
    fields_v1: FieldsV1 = FieldsV1()


class SecretMeta(ObjectMeta, frozen=True, kw_only=True):
    """Metadata that tell who wrote which label and annotation, and who holds up a deletion."""

    finalizers: tuple[str, ...] = ()
    managed_fields: tuple[ManagedFieldsEntry, ...] = ()


class Secret(Object, frozen=True, kw_only=True):
    """A Kubernetes Secret; `data` is decoded from base64.

    It holds the fields that the programs read. A write names the fields that it changes, so no other field is lost.
    """

    metadata: SecretMeta = SecretMeta()
    type: str = "Opaque"
    immutable: bool = False
    data: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Name and keys, never values, because tracebacks and logs show this."""
        return f"Secret({self.key}, keys={sorted(self.data)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which does not use the `repr`."""
        return [("key", str(self.key)), ("keys", sorted(self.data))]
