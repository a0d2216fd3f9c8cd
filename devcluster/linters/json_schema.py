"""JSON Schemas that know every field, from what Kubernetes and CRDs publish. Pure: schemas in, schemas out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
DEFINITION = re.compile(r'"(?:/api/_definitions\.json)?#/\$defs/([^"]+)"')
OBJECT_FIELDS = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
"""What every object has besides, and a CRD need not say."""


def definitions_used(text: str, definitions: Mapping[str, str]) -> dict[str, str]:
    """Those of the definitions that a schema refers to, directly or through another one; schemas are JSON texts."""
    used: dict[str, str] = {}
    waiting = DEFINITION.findall(text)
    while waiting:
        if (name := waiting.pop()) not in used:
            used[name] = definitions[name]
            waiting += DEFINITION.findall(definitions[name])
    return used


def with_local_references(text: str) -> str:
    """The schema, as JSON text, with its definitions in the same document."""
    return DEFINITION.sub(r'"#/$defs/\1"', text)


def schemas_of(crd: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Each version of a kind as `group/kind_version`, with a schema that takes no field that the CRD does not declare."""
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        whole = schema | {"properties": OBJECT_FIELDS | schema["properties"]}
        yield f"{spec['group']}/{spec['names']['kind'].lower()}_{version['name']}", strict(whole)


def strict(schema: Schema) -> Schema:
    """A structural schema as a JSON Schema: an object takes its properties only, and null is a type."""
    result = {name: _below(name, value) for name, value in schema.items()}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    if schema.get("nullable") and "type" in schema:
        result["type"] = [schema["type"], "null"]
    return result


def _below(name: str, value: Any) -> Any:
    """Only where types are declared: what is in `anyOf` and the like narrows them, and may name some properties of many."""
    if name == "properties":
        return {field: strict(one) for field, one in value.items()}
    if name in {"items", "additionalProperties"} and isinstance(value, dict):
        return strict(value)
    return value


def declares_a_kind(schema: Mapping[str, Any]) -> bool:
    """Whether it is the schema of a whole object, which says its apiVersion."""
    return "enum" in schema.get("properties", {}).get("apiVersion", {})


def all_schemas(crds: Iterable[Mapping[str, Any]]) -> dict[str, Schema]:
    """Return the JSON schemas of several CRDs."""
    return dict(one for crd in crds for one in schemas_of(crd))
