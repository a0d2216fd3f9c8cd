"""What the API server's refusals are to a caller of the management API."""

from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from agentidp.kube.errors import ApiError, Forbidden, Invalid, Unreachable
from management_api.http.error_handlers import add_error_handlers
from tests.support.refusals import refused

QUOTA = "exceeded quota: agents, requested: 1, used: 9, limited: 9"
NO_RIGHT = 'User "us" cannot create resource "agents"'

TOLD: dict[str, tuple[ApiError, HTTPStatus, str, dict[str, Any]]] = {
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


async def answer_to(trouble: ApiError) -> httpx.Response:
    """What is answered where this comes out of an endpoint."""
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise trouble

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
        return await client.get("/")


@pytest.mark.parametrize("what", TOLD)
async def test_it_is_told_as(what: str) -> None:
    """The caller can do something about what is theirs; of the rest they learn that it does not work now."""
    trouble, status, code, details = TOLD[what]
    assert refused(await answer_to(trouble), status, code) == details


async def test_whose_mistake_it_is_decides_who_reads_the_words() -> None:
    """A quota is the caller's; a right that is missing here is for the log."""
    assert QUOTA in (await answer_to(TOLD["a quota"][0])).text
    assert "cannot create" not in (await answer_to(TOLD["a right that this API has not"][0])).text
