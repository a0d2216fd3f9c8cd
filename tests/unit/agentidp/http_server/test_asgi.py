"""HEAD as GET (RFC 9110, section 9.3.2), in front of a FastAPI application and uvicorn's own answer to HEAD."""

import httpx
import pytest
from fastapi import FastAPI

from agentidp.http_server.asgi import HeadAsGet


def application() -> FastAPI:
    """An application with one GET route and one POST route."""
    app = FastAPI()
    app.add_api_route("/jwks", lambda: "keys", methods=["GET"])
    app.add_api_route("/token", lambda: "token", methods=["POST"])
    return app


async def response(method: str, path: str) -> httpx.Response:
    """The response to one request."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(HeadAsGet(application())), base_url="http://idp") as client:
        return await client.request(method, path)


async def test_head_as_get_has_the_headers_of_get() -> None:
    """Status and headers are those of GET; the server leaves out the content."""
    get, head = await response("GET", "/jwks"), await response("HEAD", "/jwks")
    assert head.status_code == get.status_code == 200
    assert head.headers == get.headers


@pytest.mark.parametrize(("method", "path", "allow"), [("PUT", "/jwks", "GET, HEAD"), ("PUT", "/token", "POST")])
async def test_head_as_get_allows_head_where_get_is_allowed(method: str, path: str, allow: str) -> None:
    """Section 15.5.6: Allow lists every method of the resource, HEAD too where GET is there, and only there."""
    refused = await response(method, path)
    assert (refused.status_code, refused.headers["Allow"]) == (405, allow)
