"""The JSON of the management API against the custom resources that it stands for."""

import pytest
from pydantic import ValidationError

from management_api.schemas import agents as documents
from management_api.schemas.agents import AgentRequest, AgentUpdate
from management_api.schemas.base import format_timestamp, future_timestamp
from tests.support.crd_schema import crds
from tests.support.management import AN_AGENT


def spec_schema() -> dict[str, dict[str, object]]:
    """The fields of an Agent's spec, as the CRD bounds them."""
    schema = crds()["Agent"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields: dict[str, dict[str, object]] = schema
    return fields


@pytest.mark.parametrize(
    ("field", "pattern"),
    {
        "email": documents.EMAIL,
        "version": documents.SEMVER,
        "owner": documents.OWNER,
        "organizationId": documents.ORGANIZATION,
    }.items(),
)
def test_a_text_has_the_bounds_of_the_resource(field: str, pattern: str) -> None:
    """Or the API server would refuse what the document allows."""
    bounds = spec_schema()[field]
    assert bounds["pattern"] == pattern
    assert AgentRequest.model_json_schema()["properties"][field]["maxLength"] == bounds["maxLength"]


def test_capabilities_have_the_bounds_of_the_resource() -> None:
    """Each of them, and the list."""
    bounds, told = spec_schema()["capabilities"], AgentRequest.model_json_schema()["properties"]["capabilities"]
    assert bounds["items"] == {"type": "string", "maxLength": told["items"]["maxLength"], "pattern": documents.CAPABILITY}
    assert (bounds["minItems"], bounds["maxItems"]) == (told["minItems"], told["maxItems"])
    assert told["uniqueItems"]


@pytest.mark.parametrize(("field", "name"), [("agentType", "type"), ("deploymentEnv", "deploymentEnv")])
def test_enum_values_are_those_of_the_resource_in_lower_case(field: str, name: str) -> None:
    """All of them."""
    values = spec_schema()[name]["enum"]
    assert isinstance(values, list)
    assert AgentRequest.model_json_schema()["properties"][field]["enum"] == [one.lower() for one in values]


def test_what_is_said_becomes_the_spec() -> None:
    """And nothing that was not said."""
    spec = documents.spec_fields(AgentRequest.model_validate(AN_AGENT | {"organizationId": "acme"}))
    assert (spec["type"], spec["deploymentEnv"]) == ("Classifier", "Staging")
    assert set(spec) == {"email", "type", "version", "capabilities", "owner", "deploymentEnv"}
    assert documents.spec_fields(AgentUpdate.model_validate({"status": "suspended"})) == {"state": "Suspended"}
    assert documents.spec_fields(AgentUpdate.model_validate({})) == {}


@pytest.mark.parametrize("field", AgentUpdate.model_json_schema()["properties"])
def test_null_is_not_the_same_as_nothing(field: str) -> None:
    """It would mean to remove what cannot be missing."""
    with pytest.raises(ValidationError):
        AgentUpdate.model_validate({field: None})


@pytest.mark.parametrize(
    ("text", "moment"),
    {
        "2099-01-31T12:00:00Z": "2099-01-31T12:00:00.000Z",
        "2099-01-31t12:00:00z": "2099-01-31T12:00:00.000Z",
        "2099-01-31T12:00:00.123456789Z": "2099-01-31T12:00:00.123Z",
        "2099-01-31T12:00:00+23:59": "2099-01-30T12:01:00.000Z",
    }.items(),
)
def test_times_are_rfc_3339(text: str, moment: str) -> None:
    """Taken in all its forms, written in one."""
    assert format_timestamp(future_timestamp(text)) == moment


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2099-01-31", "2099-01-31T12:00:00", "2099-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "4102444800"],
)
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    """In words for the caller."""
    with pytest.raises(ValueError, match="RFC 3339"):
        future_timestamp(text)
