"""The CRDs as data: every field of a kind with its path and schema, and manifests that set each of them.

What lives here only reads `crds/` and `full/`. What the API server makes of them is `api_server`.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
FULL_MANIFESTS = Path(__file__).parent / "full"

Manifest = dict[str, Any]


class Field(NamedTuple):
    """One field: `spec.scopes` is a list, `spec.scopes[]` what is in it, `spec.secret.labels{}` a value of a map."""

    path: str
    schema: dict[str, Any]
    required: bool

    @property
    def is_property(self) -> bool:
        """A field with a name of its own, not what a list or a map holds."""
        return not self.path.endswith(("[]", "{}"))

    @property
    def shape(self) -> str:
        """Its type, told as a Struct could say it too."""
        if "enum" in self.schema:
            return f"one of {sorted(self.schema['enum'])}"
        if "additionalProperties" in self.schema:
            return "map"
        return str(self.schema["format"] if self.schema.get("format") == "date-time" else self.schema["type"])


def pattern_rule(schema: dict[str, Any]) -> tuple[str, str] | None:
    """The regular expression that a rule of this schema asks of the whole value, and the message; None where there is none."""
    for rule in schema.get("x-kubernetes-validations", []):
        if found := re.search(r"(?:^|&& )self\.matches\(r(['\"])(.*)\1\)$", rule["rule"].strip()):
            return found[2], rule["message"]
    return None


@cache
def crds() -> dict[str, Manifest]:
    """The CustomResourceDefinitions by kind."""
    documents = (yaml.safe_load(path.read_text()) for path in sorted((CHECKOUT / "crds").glob("*.yaml")))
    return {crd["spec"]["names"]["kind"]: crd for crd in documents}


def schema_of(crd: Manifest) -> dict[str, Any]:
    """The schema of the only version."""
    (version,) = crd["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: dict[str, Any], path: str = "") -> Iterator[Field]:
    """Every field below a schema, parents before children."""
    required = schema.get("required", [])
    for name, child in schema.get("properties", {}).items():
        yield from _with_children(Field(f"{path}.{name}".lstrip("."), child, name in required))
    if "items" in schema:
        yield from _with_children(Field(f"{path}[]", schema["items"], required=False))
    if "additionalProperties" in schema:
        yield from _with_children(Field(f"{path}{{}}", schema["additionalProperties"], required=False))


def _with_children(field: Field) -> Iterator[Field]:
    yield field
    yield from fields(field.schema, field.path)


@cache
def full_manifests() -> tuple[Manifest, ...]:
    """Valid resources, spec and status, that together set every field of every kind."""
    return tuple(yaml.safe_load(path.read_text()) for path in sorted(FULL_MANIFESTS.glob("*.yaml")))
