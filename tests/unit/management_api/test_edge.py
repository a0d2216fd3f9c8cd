"""What is answered where this API itself has failed."""

from http import HTTPStatus

import httpx
from fastapi import FastAPI

from management_api.http.edge import Edge
from management_api.http.errors import add_error_handlers
from management_api.metrics import Metrics
from tests.support.refusals import refused

INSIDE = "what nobody outside should read"


async def test_a_failure_of_our_own_tells_nothing_of_the_inside() -> None:
    """500 in the form of all refusals, with the request's id: the log says more."""
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise RuntimeError(INSIDE)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=Edge(app, Metrics())), base_url="http://api") as client:
        answer = await client.get("/", headers={"X-Request-Id": "mine"})
    assert refused(answer, HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR") == {}
    assert INSIDE not in answer.text
    assert answer.headers["x-request-id"] == "mine"
