"""What Kopf gets to see of requests: answers, or an error after which it tries again."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from agent_operator.watch.kopf_session import KopfSession
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import FixedSource, RestConfig
from agentidp.kube.connection import Connection


class Server:
    """Answers with one status, and counts."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[Any] = []

    async def answer(self, request: web.Request) -> web.Response:
        """With what Kopf sent."""
        self.asked.append((request.method, request.headers.get("User-Agent"), await request.text()))
        return web.json_response({}, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, KopfSession, str]]:
    """One, and a session for it."""
    server, app = Server(), web.Application()
    app.router.add_route("*", "/x", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    session = KopfSession(Connection(ClientIdentity(FixedSource(RestConfig(url))), 0))
    yield server, session, f"{url}/x"
    await session.close()
    assert session.closed
    await runner.cleanup()


async def test_a_request_goes_out_as_kopf_wants_it(server: tuple[Server, KopfSession, str]) -> None:
    """With the session's own headers, as those of aiohttp do."""
    asked, session, url = server
    session.headers["User-Agent"] = "kopf"
    answer = await session.request("PATCH", url, headers={"Content-Type": "application/merge-patch+json"}, json={"a": 1})
    assert (answer.status, asked.asked) == (200, [("PATCH", "kopf", '{"a": 1}')])


async def test_an_identity_that_is_not_accepted_is_tried_again(server: tuple[Server, KopfSession, str]) -> None:
    """Once at once, and then by Kopf, which pauses after such an error; after a 401 it would give up for good."""
    asked, session, url = server
    asked.status = 401
    with pytest.raises(aiohttp.ClientConnectionError, match="does not accept the operator's identity"):
        await session.request("GET", url)
    assert len(asked.asked) == 2
