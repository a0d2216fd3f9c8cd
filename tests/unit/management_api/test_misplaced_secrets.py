"""SECURITY.md: no error message has a secret, also where the caller has put one in the wrong place."""

from typing import Any

import httpx
import pytest

from agentidp.domain.secrets.client_secrets import generate_secret
from management_api.app import create_app
from management_api.endpoints import agents, credentials
from management_api.endpoints.dependencies import BASE_PATH
from tests.support.management_parts import a_cached_agent, an_api, client_of
from tests.support.misplaced_secrets import misplaced

SECRET = generate_secret()


def an_application() -> httpx.AsyncClient:
    """The whole application, whose callers are not authenticated."""
    app = create_app(an_api()[0])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api")


def authenticated_routes() -> httpx.AsyncClient:
    """The routes, for an agent that may read and write."""
    api, _ = an_api()
    api.cache.agents.put(a_cached_agent())
    return client_of(api, agents.router, credentials.router)


CLIENTS = {"anybody": an_application, "an agent": authenticated_routes}


async def the_document() -> dict[str, Any]:
    """The OpenAPI document of the management API."""
    async with an_application() as client:
        document: dict[str, Any] = (await client.get(f"{BASE_PATH}/openapi.json")).json()
    return document


@pytest.mark.parametrize("caller", CLIENTS)
async def test_error_does_not_repeat_a_secret_in_any_place_of_a_request(caller: str) -> None:
    """Each parameter, header, key and value that the OpenAPI document names, and some that it does not name."""
    repeated, errors = [], set()
    async with CLIENTS[caller]() as client:
        for request in misplaced(await the_document(), SECRET):
            answer = await client.request(request.method, f"http://api{request.path}", **request.options)
            if answer.is_error:
                errors.add(request.what.partition(" ")[0].rstrip(","))
                if SECRET in answer.text + str(answer.headers):
                    repeated.append(f"{request.method} {request.path}, {request.what}: {answer.text}")
    assert errors >= {"path", "query", "body"}
    assert repeated == []
