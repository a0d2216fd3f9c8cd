"""How the server ends, over real connections."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from agentidp.http_server.asgi import Receive, Scope, Send
from agentidp.http_server.server import Server, server_for


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing, with 200."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def test_server_answers_one_more_request_of_each_connection_at_its_end() -> None:
    """Closed at once, it could be closed just when its client sends: a pod that is replaced would cost a request."""
    async with serving() as (server, url), httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/")).headers.get("connection") is None
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.sleep(0.5)
        last = await client.get("/")
    assert (last.status_code, last.headers["connection"]) == (200, "close")


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, str]]:
    """A server, and its address; it has ended when the block has."""
    server = server_for(answer)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 it has no event
            await asyncio.sleep(0.01)
        yield server, f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.handle_exit(signal.SIGTERM, None)
        await running
