"""Agents as JSON, compared with the CRD that they are written to."""

import pytest
from pydantic import ValidationError

from management_api.schemas import agents as schemas
from management_api.schemas.agents import AgentRequest, AgentUpdate
from tests.support.crd_schema import crds, pattern_rule
from tests.support.management import AN_AGENT


def spec_schema() -> dict[str, dict[str, object]]:
    """The fields of an Agent's spec, as the CRD bounds them."""
    schema = crds()["Agent"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields: dict[str, dict[str, object]] = schema
    return fields


@pytest.mark.parametrize(
    ("field", "pattern"),
    {
        "email": schemas.EMAIL,
        "version": schemas.SEMVER,
        "owner": schemas.OWNER,
        "organizationId": schemas.ORGANIZATION,
    }.items(),
)
def test_text_field_has_the_bounds_of_the_resource(field: str, pattern: str) -> None:
    """Else the API server would refuse what OpenAPI allows."""
    bounds = spec_schema()[field]
    assert (pattern_rule(bounds) or ("", ""))[0] == pattern
    assert AgentRequest.model_json_schema()["properties"][field]["maxLength"] == bounds["maxLength"]


def test_capabilities_have_the_bounds_of_the_resource() -> None:
    """Each of them, and the list."""
    bounds, schema = spec_schema()["capabilities"], AgentRequest.model_json_schema()["properties"]["capabilities"]
    item = bounds["items"]
    assert isinstance(item, dict)
    assert (item["type"], item["maxLength"]) == ("string", schema["items"]["maxLength"])
    assert (pattern_rule(item) or ("", ""))[0] == schemas.CAPABILITY
    assert (bounds["minItems"], bounds["maxItems"]) == (schema["minItems"], schema["maxItems"])
    assert schema["uniqueItems"]


@pytest.mark.parametrize(("field", "name"), [("agentType", "type"), ("deploymentEnv", "deploymentEnv")])
def test_enum_values_are_those_of_the_resource_in_lower_case(field: str, name: str) -> None:
    """All of them."""
    values = spec_schema()[name]["enum"]
    assert isinstance(values, list)
    assert AgentRequest.model_json_schema()["properties"][field]["enum"] == [one.lower() for one in values]


def test_spec_fields_are_those_that_the_request_sets() -> None:
    """By the names of the resource, without the others."""
    spec = schemas.spec_fields(AgentRequest.model_validate(AN_AGENT | {"organizationId": "acme"}))
    assert (spec["type"], spec["deploymentEnv"]) == ("Classifier", "Staging")
    assert set(spec) == {"email", "type", "version", "capabilities", "owner", "deploymentEnv"}
    assert schemas.spec_fields(AgentUpdate.model_validate({"status": "suspended"})) == {"state": "Suspended"}
    assert schemas.spec_fields(AgentUpdate.model_validate({})) == {}


@pytest.mark.parametrize("field", AgentUpdate.model_json_schema()["properties"])
def test_update_does_not_take_null(field: str) -> None:
    """It would remove a field that is required."""
    with pytest.raises(ValidationError):
        AgentUpdate.model_validate({field: None})
