"""The CRDs and the Structs that decode them say the same, both ways."""

import re
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentidp.domain.resources import GROUP, VERSION
from agentidp.domain.resources.meta import parse_duration
from tests.support.crd_schema import Manifest, crds, fields, full_manifests, pattern_rule, schema_of
from tests.support.struct_schema import STRUCTS, decoded_fields

CRDS = crds()
DECLARED = {kind: {field.path: field for field in fields(schema_of(crd))} for kind, crd in CRDS.items()}
FIELDS = {f"{kind} {path}": field for kind, declared in DECLARED.items() for path, field in declared.items()}

DECODED = {kind: decoded_fields(struct) for kind, struct in STRUCTS.items()}
DIFFERENT_ANYWHERE = {"description", "x-kubernetes-validations"}
PEOPLES_KINDS = {"Agent", "AgentCredential", "Organization"}
every_kind = pytest.mark.parametrize("kind", STRUCTS)


def test_crd_fields_are_those_of_every_kind() -> None:
    """There are no others, and each is served under the group and version of the Structs."""
    served = {(crd["spec"]["group"], crd["spec"]["versions"][0]["name"]) for crd in CRDS.values()}
    assert (set(CRDS), served) == (set(STRUCTS), {(GROUP, VERSION)})


@every_kind
def test_crd_fields_agree_in_types_and_enums(kind: str) -> None:
    """What the API server keeps is what the programs read, and what they write is kept."""
    in_crd = {path: field.shape for path, field in DECLARED[kind].items()}
    assert in_crd == {path: field.shape for path, field in DECODED[kind].items()}


@every_kind
def test_crd_fields_require_what_a_struct_needs(kind: str) -> None:
    """Else the API server would accept a resource that no program can decode."""
    assert {path for path, field in DECODED[kind].items() if field.needed} <= required(kind)


@every_kind
def test_crd_fields_that_are_required_are_always_written(kind: str) -> None:
    """Else the API server would refuse what a program encodes."""
    left_out = {path for path, field in DECODED[kind].items() if field.may_be_left_out}
    assert left_out & required(kind) <= {"spec"}  # no program writes an empty one


def required(kind: str) -> set[str]:
    """What the CRD requires."""
    return {path for path, field in DECLARED[kind].items() if field.required}


@every_kind
def test_crd_fields_agree_in_defaults(kind: str) -> None:
    """A field that the API server fills in has the same value in a Struct that was made here."""
    declared = {path: field.schema["default"] for path, field in DECLARED[kind].items() if "default" in field.schema}
    decoded = {path: DECODED[kind][path].default for path in declared}
    assert {path: msgspec.convert(value, type(decoded[path])) for path, value in declared.items()} == decoded


@pytest.mark.parametrize(
    "manifest", full_manifests(), ids=lambda manifest: f"{manifest['kind']} {manifest['metadata']['name']}"
)
def test_crd_fields_survive_decoding_and_encoding(manifest: Manifest) -> None:
    """Nothing that a person declared or the operator wrote is lost or changed."""
    encoded = msgspec.json.encode(msgspec.convert(manifest, STRUCTS[manifest["kind"]]))
    survivor = msgspec.json.decode(encoded)
    assert {part: survivor.get(part) for part in ("spec", "status")} == {
        part: manifest.get(part) for part in ("spec", "status")
    }


def test_crd_fields_are_described() -> None:
    """`kubectl explain` tells what each field means, in sentences."""
    named = {path: field.schema.get("description", "") for path, field in FIELDS.items() if field.is_property}
    assert [path for path, description in named.items() if not re.fullmatch(r"[A-Z].{9,}\.", description)] == []


def test_crd_fields_are_bounded() -> None:
    """No string, list or map can be made so large that it costs everybody, and no object takes fields that it does not know."""
    bounds = {
        "string": "maxLength",
        "date-time": "maxLength",
        "integer": "minimum",
        "array": "maxItems",
        "map": "maxProperties",
        "object": "properties",
    }
    shapes = {path: field.shape for path, field in FIELDS.items()}
    bounded = {path for path, shape in shapes.items() if shape.startswith("one of") or bounds[shape] in FIELDS[path].schema}
    assert set(FIELDS) - bounded == set()


def test_crd_fields_say_how_lists_merge() -> None:
    """Server-side apply must know whether a list is a set, a map or one value."""
    lists = {path: field.schema for path, field in FIELDS.items() if field.schema["type"] == "array"}
    assert [path for path, schema in lists.items() if "x-kubernetes-list-type" not in schema] == []


@pytest.mark.parametrize(
    "alike",
    {
        "conditions": r"status\.conditions",
        "items of conditions": r"status\.conditions\[\]",
        "UUIDs": r"(spec|status)\.(agent|client|credential)Id",
        "durations": r".*\.(every|overlap)",
        "times": r".*\.([a-z]+At|tokensValidAfter|lastTransitionTime|notAfter|since)",
        "hashes": r".*\.hash",
        "hints": r".*\.hint",
        "scopes": r"spec\.(scopes|allowedScopes)\[\]",
        "names of organizations and namespaces": r".*\.(organizationId|namespace|namespaces\[\])",
        "names of resources": r".*\.(name|serviceAccountName)",
    }.items(),
    ids=lambda alike: alike[0],
)
def test_crd_fields_that_are_alike_have_one_schema(alike: tuple[str, str]) -> None:
    """What is valid in one place is valid in every other."""
    found = [schema for path, (_, schema, _) in FIELDS.items() if re.fullmatch(rf"\w+ {alike[1]}", path)]
    rules = [{key: value for key, value in schema.items() if key not in DIFFERENT_ANYWHERE | {"pattern"}} for schema in found]
    patterns = {rule[0] if (rule := pattern_rule(schema)) else schema.get("pattern") for schema in found} - {None}
    assert len(rules) > 1
    assert len(patterns) <= 1
    assert all(rule == rules[0] for rule in rules)


def test_crd_patterns_of_specs_are_sentences_with_an_example() -> None:
    """A bare pattern tells nobody what to write. Times have one, because a CEL rule sees a time in place of its text."""
    declared = {path: field.schema for path, field in FIELDS.items() if path.split()[0] in PEOPLES_KINDS and " spec." in path}
    bare = {path for path, schema in declared.items() if "pattern" in schema and schema.get("format") != "date-time"}
    assert bare == set()
    messages = [rule[1] for schema in declared.values() if (rule := pattern_rule(schema))]
    assert len(messages) > 20
    assert [message for message in messages if "for example" not in message] == []


@settings(max_examples=200)
@given(
    st.from_regex((pattern_rule(FIELDS["AgentCredential spec.rotation.every"].schema) or ("", ""))[0], fullmatch=True).filter(
        bool
    )
)
def test_crd_fields_admit_only_durations_that_are_read(text: str) -> None:
    """A duration that the API server lets through never stops the operator."""
    assert parse_duration(text) >= timedelta(0)
