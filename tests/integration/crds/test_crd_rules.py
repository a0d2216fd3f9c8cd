"""What the API server makes of resources that people write: near bounds, against CEL rules, and changed later."""

import re
from collections.abc import Iterator

import msgspec
import pytest

from tests.support.api_server import ApiServer
from tests.support.crd_cases import ACCEPTED, REFUSED, Refused
from tests.support.crd_changes import ALLOWED_CHANGES, REFUSED_CHANGES, Change
from tests.support.crd_schema import Manifest, crds, fields, pattern_rule, schema_of
from tests.support.manifests import AGENT_ID, OTHER_ID, a_credential, an_agent
from tests.support.struct_schema import STRUCTS

STATUS_AGENT_ID = "status.agentId is given once"


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_an_invalid_resource_is_refused(api_server: ApiServer, case: Refused) -> None:
    """The message names the field."""
    answer = api_server.create(case.resource, dry_run=True)
    assert not answer.accepted
    assert case.message in answer.message


@pytest.mark.parametrize("secret", ["sk_live_0123456789abcdef0123456789abcdef", "hunter2", "s" * 60, "s" * 61])
def test_a_secret_in_place_of_its_hash_is_not_repeated(api_server: ApiServer, secret: str) -> None:
    """The answer is on a screen, in a pipeline's log, in Argo CD (threat model: no plaintext outside the Secret)."""
    answer = api_server.create(a_credential(secretHash={"hash": secret}), dry_run=True)
    assert not answer.accepted
    assert "spec.secretHash.hash" in answer.message
    assert secret not in answer.message


SENTENCES = {
    "a version of two numbers": (an_agent(version="1.4"), "for example '1.4.0'"),
    "an email with a display name": (an_agent(email="Screener <a@b.example>"), "for example screener@agents.example"),
    "a rotation in days": (a_credential(rotation={"every": "30d"}), "for example 720h (30 days)"),
    "an overlap in days beside a schedule": (a_credential(rotation={"every": "720h", "overlap": "1d"}), "for example 24h"),
}


@pytest.mark.parametrize(("resource", "example"), SENTENCES.values(), ids=SENTENCES)
def test_a_wrong_value_is_answered_by_a_sentence_with_an_example(
    api_server: ApiServer, resource: Manifest, example: str
) -> None:
    """Neither a regular expression nor an error of CEL."""
    answer = api_server.create(resource, dry_run=True)
    assert example in answer.message
    assert not re.search(r"\[0-9\]|should match|evaluating rule|protobuf", answer.message)


@pytest.mark.parametrize("resource", ACCEPTED.values(), ids=ACCEPTED)
def test_a_valid_resource_is_accepted(api_server: ApiServer, resource: Manifest) -> None:
    """And whatever the API server accepts, the programs can decode."""
    answer = api_server.create(resource, dry_run=True)
    assert answer.message == ""
    msgspec.convert(answer.resource, STRUCTS[resource["kind"]])


@pytest.mark.parametrize("change", REFUSED_CHANGES.values(), ids=REFUSED_CHANGES)
def test_a_change_that_may_not_be_is_refused(api_server: ApiServer, existing: Manifest, change: Change) -> None:
    """The message names the field and says what to do instead."""
    answer = api_server.merge(existing, {"spec": change.spec})
    assert not answer.accepted
    assert change.message in answer.message


@pytest.mark.parametrize("change", ALLOWED_CHANGES.values(), ids=ALLOWED_CHANGES)
def test_another_change_is_made(api_server: ApiServer, existing: Manifest, change: Change) -> None:
    """Rules stand only in the way of what they are for."""
    assert api_server.merge(existing, {"spec": change.spec}).message == ""


@pytest.fixture
def existing(api_server: ApiServer, change: Change) -> Iterator[Manifest]:
    """The resource that is to be changed."""
    answer = api_server.create(change.before)
    assert answer.message == ""
    yield answer.resource
    api_server.delete(change.before)


@pytest.mark.parametrize("later", [{"agentId": OTHER_ID}, {}], ids=["changed", "removed"])
def test_the_id_in_an_agents_status_stays(api_server: ApiServer, later: Manifest) -> None:
    """Not even the operator can give an agent another id."""
    agent = an_agent()
    api_server.create(agent)
    assert api_server.set_status(agent, {"agentId": AGENT_ID}).message == ""
    answer = api_server.set_status(agent, later)
    api_server.delete(agent)
    assert STATUS_AGENT_ID in answer.message


def test_every_rule_has_a_case() -> None:
    """A new rule fails here until a case breaks it."""
    patterns = {rule[1] for crd in crds().values() for part in fields(schema_of(crd)) if (rule := pattern_rule(part.schema))}
    rules = {rule["message"] for crd in crds().values() for rule in rules_of(crd)} - patterns  # see test_crd_bounds
    breaches = [case.message for case in REFUSED.values()]
    breaches += [change.message for change in REFUSED_CHANGES.values()] + [STATUS_AGENT_ID]
    assert [rule for rule in rules if not any(" " in breach and rule.startswith(breach) for breach in breaches)] == []


def rules_of(crd: Manifest) -> Iterator[Manifest]:
    """Every CEL rule of a kind."""
    schema = schema_of(crd)
    for part in (schema, *(field.schema for field in fields(schema))):
        yield from part.get("x-kubernetes-validations", [])


def test_every_message_begins_with_the_field() -> None:
    """So that it can be understood where only the message is shown."""
    messages = [rule["message"] for crd in crds().values() for rule in rules_of(crd)]
    assert [message for message in messages if not re.match(r"(spec|status|metadata)[\w.]* (?!is invalid)", message)] == []
