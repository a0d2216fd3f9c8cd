"""What the API server makes of resources that people write: near bounds, against CEL rules, and changed later."""

import re
from collections.abc import Iterator

import msgspec
import pytest

from tests.support.api_server import ApiServer
from tests.support.crd_cases import ACCEPTED, REFUSED, Refused
from tests.support.crd_changes import ALLOWED_CHANGES, REFUSED_CHANGES, Change
from tests.support.crd_schema import Manifest, crds, fields, schema_of
from tests.support.manifests import AGENT_ID, OTHER_ID, an_agent
from tests.support.struct_schema import STRUCTS

STATUS_AGENT_ID = "status.agentId is given once"


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_an_invalid_resource_is_refused(api_server: ApiServer, case: Refused) -> None:
    """The message names the field."""
    answer = api_server.create(case.resource, dry_run=True)
    assert not answer.accepted
    assert case.message in answer.message


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
    rules = {rule["message"] for crd in crds().values() for rule in rules_of(crd)}
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
