"""The Structs as data: every field that a Struct decodes with its path, in the terms of `crd_schema`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from agentidp.domain.resources import Agent, AgentCredential, Organization, PendingChange, TokenRevocation

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "Agent": Agent,
    "AgentCredential": AgentCredential,
    "Organization": Organization,
    "PendingChange": PendingChange,
    "TokenRevocation": TokenRevocation,
}
SHAPES: dict[type[inspect.Type], str] = {
    inspect.StructType: "object",
    inspect.DictType: "map",
    inspect.VarTupleType: "array",
    inspect.StrType: "string",
    inspect.IntType: "integer",
}


class StructField(NamedTuple):
    """What a Struct says about the value at a path."""

    shape: str
    needed: bool
    may_be_left_out: bool
    default: Any


def decoded_fields(kind: type[msgspec.Struct]) -> dict[str, StructField]:
    """What a resource's Struct decodes, by path; all but metadata, which no CRD declares."""
    struct = inspect.type_info(kind)
    assert isinstance(struct, inspect.StructType)
    declared = (field for field in struct.fields if field.encode_name != "metadata")
    return {path: found for field in declared for path, found in _named(field, struct.cls, "")}


def _below(of: inspect.Type, path: str) -> Iterator[tuple[str, StructField]]:
    """Everything that a value of this type holds."""
    match _present(of):
        case inspect.StructType(fields=fields, cls=cls):
            for field in fields:
                yield from _named(field, cls, f"{path}.")
        case inspect.VarTupleType(item_type=item):
            yield from _unnamed(item, f"{path}[]")
        case inspect.DictType(value_type=value):
            yield from _unnamed(value, f"{path}{{}}")


def _named(field: inspect.Field, struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, StructField]]:
    """A field of a Struct, and what is below it."""
    path = prefix + field.encode_name
    may_be_left_out = struct.__struct_config__.omit_defaults and not field.required
    yield path, StructField(_shape(field.type), field.required, may_be_left_out, field.default)
    yield from _below(field.type, path)


def _unnamed(of: inspect.Type, path: str) -> Iterator[tuple[str, StructField]]:
    """What a list or a map holds, and what is below it."""
    yield path, StructField(_shape(of), needed=False, may_be_left_out=False, default=msgspec.NODEFAULT)
    yield from _below(of, path)


def _present(of: inspect.Type) -> inspect.Type:
    """What an optional field is when it is there."""
    if not isinstance(of, inspect.UnionType):
        return of
    (choice,) = (choice for choice in of.types if not isinstance(choice, inspect.NoneType))
    return choice


def _shape(of: inspect.Type) -> str:
    """A type as the CRDs say it."""
    match _present(of):
        case inspect.EnumType(cls=cls):
            return f"one of {sorted(member.value for member in cls)}"
        case inspect.DateTimeType(tz=True):
            return "date-time"
        case other:
            return SHAPES[type(other)]
