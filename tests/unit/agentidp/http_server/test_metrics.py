"""Metrics beside everything else, or on a port of their own, where nothing else is."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from agentidp.http_server.asgi import HeadAsGet
from agentidp.http_server.metrics import add_metrics, metrics_apart
from agentidp.http_server.server import server_for
from agentidp.runtime.settings import Listen

NUMBERS = b"agentidp_refusals_total 3.0\n"
HOST = "127.0.0.1"


def an_app() -> FastAPI:
    """With something to be asked for."""
    app = FastAPI()
    app.add_api_route("/token", lambda: "one")
    return app


def numbers() -> bytes:
    """What there is to tell."""
    return NUMBERS


@asynccontextmanager
async def serving() -> AsyncIterator[list[str]]:
    """The addresses of an app and of its metrics, while the block runs."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(2)]
    ports = [one.getsockname()[1] for one in sockets]
    server = server_for(HeadAsGet(metrics_apart(an_app(), numbers, Listen(HOST, ports[1]))))
    running = asyncio.create_task(server.serve(sockets=sockets))
    while not server.started:  # noqa: ASYNC110 it has no event
        await asyncio.sleep(0.01)
    yield [f"http://{HOST}:{port}" for port in ports]
    server.handle_exit(signal.SIGTERM, None)
    await running


async def test_metrics_answer_head() -> None:
    """As GET is, without the body (RFC 9110, section 9.3.2)."""
    async with serving() as (_, prometheus), httpx.AsyncClient() as client:
        get, head = [await client.request(method, f"{prometheus}/metrics") for method in ("GET", "HEAD")]
        refused = await client.post(f"{prometheus}/metrics")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(NUMBERS))
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_metrics_have_a_port_of_their_own() -> None:
    """They are not where everybody may ask, and where they are, nothing else is."""
    async with serving() as (everybody, prometheus), httpx.AsyncClient() as client:
        statuses = {
            (where, path): (await client.get(where + path)).status_code
            for where in (everybody, prometheus)
            for path in ("/token", "/metrics", "/openapi.json", "/docs")
        }
        told = await client.get(f"{prometheus}/metrics")
    assert statuses == {
        (everybody, "/token"): 200,
        (everybody, "/metrics"): 404,
        (everybody, "/openapi.json"): 200,
        (everybody, "/docs"): 200,
        (prometheus, "/token"): 404,
        (prometheus, "/metrics"): 200,
        (prometheus, "/openapi.json"): 404,
        (prometheus, "/docs"): 404,
    }
    assert (told.content, told.headers["content-type"].partition(";")[0]) == (NUMBERS, "text/plain")


async def test_metrics_without_a_port_of_their_own_are_among_the_routes() -> None:
    """As the HTTP contract has it."""
    app = an_app()
    add_metrics(app, numbers)
    assert metrics_apart(app, numbers, None) is app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        assert (await client.get("/metrics")).content == NUMBERS
