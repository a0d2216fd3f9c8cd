"""JSON schemas: published schemas of kinds become strict ones."""

import json
from typing import Any

import pytest

from devcluster.linters.json_schema import definitions_used, schemas_of, strict, with_local_references

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("declared", "expected"),
    {
        "an object takes its own properties only": (
            {"type": "object", "properties": {"a": TEXT}},
            {"type": "object", "properties": {"a": TEXT}, "additionalProperties": False},
        ),
        "so does an object in a list in a map": (
            {"additionalProperties": {"items": {"properties": {"a": TEXT}}}},
            {"additionalProperties": {"items": {"properties": {"a": TEXT}, "additionalProperties": False}}},
        ),
        "a map takes any key": (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "additionalProperties": TEXT},
        ),
        "an object that keeps what it does not know takes anything": (
            {"properties": {"a": TEXT}, "x-kubernetes-preserve-unknown-fields": True},
            {"properties": {"a": TEXT}, "x-kubernetes-preserve-unknown-fields": True},
        ),
        "a field that may be null may be null": (
            {"properties": {"a": {"type": "string", "nullable": True}}},
            {"properties": {"a": {"type": ["string", "null"], "nullable": True}}, "additionalProperties": False},
        ),
        "an alternative names some of the properties, and does not forbid the others": (
            {"properties": {"a": TEXT, "b": TEXT}, "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
            {
                "properties": {"a": TEXT, "b": TEXT},
                "anyOf": [{"properties": {"a": {"minLength": 1}}}],
                "additionalProperties": False,
            },
        ),
        "a property may have the name of a keyword": (
            {"properties": {"items": TEXT, "nullable": TEXT}},
            {"properties": {"items": TEXT, "nullable": TEXT}, "additionalProperties": False},
        ),
    }.values(),
)
def test_json_schema_of_a_structural_schema_is_strict(declared: dict[str, Any], expected: dict[str, Any]) -> None:
    """As a server would read it that refuses unknown fields."""
    assert strict(declared) == expected


def test_json_schema_exists_for_every_version_of_a_kind() -> None:
    """Under the name by which kubeconform asks for it, and with the fields that every object has."""
    versions = [{"name": name, "schema": {"openAPIV3Schema": {"properties": {name: TEXT}}}} for name in ("v1", "v2")]
    crd = {"spec": {"group": "example.com", "names": {"kind": "BigThing"}, "versions": versions}}
    found = dict(schemas_of(crd))
    assert found.keys() == {"example.com/bigthing_v1", "example.com/bigthing_v2"}
    assert found["example.com/bigthing_v2"]["properties"].keys() == {"apiVersion", "kind", "metadata", "v2"}


def test_json_schema_resolves_definitions_once() -> None:
    """Also where they refer to each other in a circle; what nothing refers to is left out."""
    definitions = {
        "pod": json.dumps({"$ref": "#/$defs/meta"}),
        "meta": json.dumps({"$ref": "#/$defs/pod"}),
        "other": json.dumps(TEXT),
    }
    text = json.dumps({"$ref": "/api/_definitions.json#/$defs/pod"})
    assert definitions_used(text, definitions).keys() == {"pod", "meta"}
    assert json.loads(with_local_references(text)) == {"$ref": "#/$defs/pod"}
