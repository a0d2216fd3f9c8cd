"""For every bound that a CRD declares, a resource that breaks it: derived, so that a new field is covered as it is declared.

CEL rules cannot be derived; each needs a case of its own.
"""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.support.crd_schema import Field, Manifest, crds, fields, full_manifests, pattern_rule, schema_of

Schema = dict[str, Any]


class Bound(NamedTuple):
    """How to break a keyword of a schema, given a valid value; and what the API server then says."""

    broken: Callable[[Schema, Any], object]
    complaint: str


def many(schema: Schema, valid: list[Any]) -> list[Any]:
    """One item too many, each valid and no two alike."""
    keys = schema.get("x-kubernetes-list-map-keys", [])
    numbers = range(schema["maxItems"] + 1)
    if isinstance(valid[0], str):
        return [f"{valid[0]}{number}" for number in numbers]
    return [valid[0] | {key: f"{valid[0][key]}{number}" for key in keys} for number in numbers]


FORMAT_BREAKERS: dict[str, object] = {"date-time": "yesterday", "int32": 2**31, "int64": 2**63}
BOUNDS = {
    "type": Bound(lambda schema, _: 7 if schema["type"] == "string" else "text", "must be of type"),
    "format": Bound(lambda schema, _: FORMAT_BREAKERS[schema["format"]], "{format}"),
    "enum": Bound(lambda _, valid: f"{valid}s", "Unsupported value"),
    "pattern": Bound(lambda _schema, _: "\t\t", "should match"),
    "minLength": Bound(lambda schema, valid: valid[: schema["minLength"] - 1], "at least {minLength} chars"),
    "maxLength": Bound(lambda schema, _: "a" * (schema["maxLength"] + 1), "may not be more than {maxLength} "),
    "minimum": Bound(lambda schema, _: schema["minimum"] - 1, "greater than or equal to {minimum}"),
    "maximum": Bound(lambda schema, _: schema["maximum"] + 1, "less than or equal to {maximum}"),
    "minItems": Bound(lambda schema, valid: valid[: schema["minItems"] - 1], "at least {minItems} items"),
    "maxItems": Bound(many, "must have at most {maxItems} items"),
    "maxProperties": Bound(
        lambda schema, valid: {f"key{number}": next(iter(valid.values())) for number in range(schema["maxProperties"] + 1)},
        "must have at most {maxProperties} ",
    ),
    "x-kubernetes-list-type": Bound(lambda _, valid: [valid[0], valid[0]], "Duplicate value"),
}
NOT_BOUNDS = {"description", "default", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"}
COVERED_OTHERWISE = {"properties", "items", "additionalProperties", "required", "x-kubernetes-validations"}


class Violation(NamedTuple):
    """A resource with one wrong value, where that is, and what the API server says about it."""

    resource: Manifest
    location: str
    complaint: str


def violations() -> Iterator[tuple[str, Violation]]:
    """Every way to break one bound of one field, each with a name."""
    for kind, crd in crds().items():
        for field in fields(schema_of(crd)):
            yield from ((f"{kind} {field.path} {keyword}", violation) for keyword, violation in _violations_of(kind, field))


def _violations_of(kind: str, field: Field) -> Iterator[tuple[str, Violation]]:
    if field.required:
        resource, holder, key, location = _found(kind, field.path)
        del holder[key]
        yield "required", Violation(resource, location, "Required value")
    if rule := pattern_rule(field.schema):
        resource, holder, key, _ = _found(kind, field.path)
        holder[key] = "\t\t"
        yield "pattern", Violation(resource, "spec", rule[1])
    for keyword in sorted(field.schema.keys() & BOUNDS.keys()):
        if field.schema[keyword] != "atomic":
            yield keyword, _broken(kind, field, BOUNDS[keyword])


def _broken(kind: str, field: Field, bound: Bound) -> Violation:
    resource, holder, key, location = _found(kind, field.path)
    holder[key] = bound.broken(field.schema, holder[key])
    return Violation(resource, location, bound.complaint.format_map(field.schema))


def variants(*keywords: str) -> Iterator[tuple[str, Manifest]]:
    """The full resources with each value that an enum offers, or that is exactly at a bound."""
    for kind, crd in crds().items():
        for field in fields(schema_of(crd)):
            for value in _flat(field.schema[keyword] for keyword in keywords if keyword in field.schema):
                yield f"{kind} {field.path} {value}", _with(kind, field.path, value)


def nulls() -> Iterator[tuple[str, Manifest]]:
    """The full resources with each field of their spec null, as templates write what they have no value for."""
    for kind, crd in crds().items():
        paths = [field.path for field in fields(schema_of(crd)) if field.path.startswith("spec.")]
        yield from ((f"{kind} {path}", _with(kind, path, None)) for path in paths)


def _with(kind: str, path: str, value: object) -> Manifest:
    resource, holder, key, _ = _found(kind, path)
    holder[key] = value
    return resource


def _flat(values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list) else [value]


def _found(kind: str, path: str) -> tuple[Manifest, Any, Any, str]:
    """A copy of a full resource, what holds the field in it and under which key, and the field's location."""
    for manifest in full_manifests():
        if manifest["kind"] == kind and (found := _followed(copy.deepcopy(manifest), path)):
            return found
    raise LookupError(f"no manifest in tests/support/full sets {path} of a {kind}; add it to one")


def _followed(resource: Manifest, path: str) -> tuple[Manifest, Any, Any, str] | None:
    holder: Any = None
    value: Any = resource
    location = ""
    for step in re.findall(r"[^.\[\]{}]+|\[\]|\{\}", path):
        holder = value
        key = {"[]": 0, "{}": next(iter(holder))}.get(step, step)
        if step != "[]" and key not in holder:
            return None
        value = holder[key]
        location += f"[{key}]" if step == "[]" else f".{key}"
    return resource, holder, key, location.lstrip(".")
