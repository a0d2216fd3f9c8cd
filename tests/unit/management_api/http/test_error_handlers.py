"""Error handlers: what errors of the API server are to a caller."""

from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from agentidp.kube.errors import ApiError, Forbidden, Invalid, Unreachable
from management_api.endpoints import agents, credentials
from management_api.http.error_handlers import add_error_handlers
from management_api.schemas.agents import FORMS, AgentRequest, AgentUpdate
from management_api.schemas.credentials import CredentialRequest, RotationRequest
from tests.support.management import AN_AGENT
from tests.support.management_parts import an_api, client_of
from tests.support.refusals import refused

QUOTA = "exceeded quota: agents, requested: 1, used: 9, limited: 9"
NO_RIGHT = 'User "us" cannot create resource "agents"'

ANSWERS: dict[str, tuple[ApiError, HTTPStatus, str, dict[str, Any]]] = {
    "an object that a policy finds invalid": (
        Invalid(422, "Invalid", "agents are called app-something here"),
        HTTPStatus.BAD_REQUEST,
        "VALIDATION_ERROR",
        {"resource": "agents are called app-something here"},
    ),
    "a quota": (Forbidden(403, "Forbidden", QUOTA), HTTPStatus.FORBIDDEN, "FORBIDDEN", {}),
    "a right that this API has not": (Forbidden(403, "Forbidden", NO_RIGHT), HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", {}),
    "no answer": (Unreachable("POST /apis: ConnectionRefused"), HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", {}),
}


async def answer_to(error: ApiError) -> httpx.Response:
    """The answer of a route that raises this error."""
    app = FastAPI()
    add_error_handlers(app, FORMS)

    @app.get("/")
    async def fail() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
        return await client.get("/")


@pytest.mark.parametrize("case", ANSWERS)
async def test_error_of_the_api_server_is_answered_as(case: str) -> None:
    """A quota or a policy is the caller's to solve; everything else is 503."""
    error, status, code, details = ANSWERS[case]
    assert refused(await answer_to(error), status, code) == details


async def test_error_about_a_right_of_this_api_goes_to_the_log_alone() -> None:
    """The message about a quota goes to the caller."""
    assert QUOTA in (await answer_to(ANSWERS["a quota"][0])).text
    assert "cannot create" not in (await answer_to(ANSWERS["a right that this API has not"][0])).text


WRONG = {
    "version": ("v9.9", "for example 1.4.0"),
    "email": ("Screener <a@b.example>", "for example screener@agents.example"),
    "owner": ("two\nlines", "for example talent-platform"),
    "organizationId": ("acme.example", "for example acme"),
}


@pytest.mark.parametrize("field", WRONG)
async def test_error_of_a_regular_expression_is_a_sentence_with_an_example(field: str) -> None:
    """The expression tells nobody what to write, and the value may be a secret in the wrong field (decision 45)."""
    app = FastAPI()
    add_error_handlers(app, FORMS)

    @app.post("/")
    async def register(_: AgentRequest) -> None:
        """Take an agent."""

    value, example = WRONG[field]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
        answer = await client.post("/", json=AN_AGENT | {field: value})
    details = refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")
    assert example in details[field]
    assert value not in answer.text
    assert "pattern" not in answer.text


async def test_error_of_a_regular_expression_is_about_the_field_that_is_wrong() -> None:
    """Namespaces and Organizations are named by the same regular expression."""
    async with client_of(an_api()[0], agents.router) as client:
        answer = await client.get("/agents", params={"namespace": "BAD_"})
    details = refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")
    assert "namespace" in details["namespace"]
    assert "Organization" not in details["namespace"]


UNKNOWN_KEYS = {"colour": "colour", "a b": "body", "x" * 65: "body", "0": "body", "sk_live_00": "body", "": "body"}


@pytest.mark.parametrize("key", UNKNOWN_KEYS)
async def test_error_of_an_unknown_field_repeats_what_may_be_a_name(key: str) -> None:
    """A misspelled name helps the caller; anything else may be a secret in the wrong place (SECURITY.md)."""
    async with client_of(an_api()[0], agents.router) as client:
        answer = await client.post("/agents", json=AN_AGENT | {key: 1})
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == {UNKNOWN_KEYS[key]}


def test_error_of_each_regular_expression_has_a_sentence() -> None:
    """A new one in a request needs an example, too."""
    app = FastAPI()
    app.include_router(agents.router)
    app.include_router(credentials.router)
    document = app.openapi()
    fields = {
        (one["name"], str(one)) for path in document["paths"].values() for call in path.values() for one in call["parameters"]
    }
    for request in (AgentRequest, AgentUpdate, CredentialRequest, RotationRequest):
        fields |= {(name, str(schema)) for name, schema in request.model_json_schema()["properties"].items()}
    assert {name for name, schema in fields if "'pattern': " in schema} == FORMS.keys()
