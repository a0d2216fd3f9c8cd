"""Typed requests: what becomes of a response, and the retry after a conflict."""

import pytest
from aiohttp import web

from agentidp.kube.client import KubeClient, retry_on_conflict
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import FixedSource, RestConfig
from agentidp.kube.errors import Conflict, NotFound, TooLarge, Unreachable
from agentidp.kube.kinds import SECRETS
from tests.support.stand_ins import connected

CONFLICT = Conflict(409, "Conflict", "changed")


def application(*responses: tuple[int, bytes]) -> web.Application:
    """An API server that gives these responses in turn."""
    remaining = list(responses)

    async def respond(_: web.Request) -> web.Response:
        status, body = remaining.pop(0)
        return web.Response(status=status, body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    return app


async def test_client_reads_an_object_or_raises_the_error_of_the_response() -> None:
    """`find` has None where `get` raises NotFound."""
    missing = (404, b'{"code":404,"reason":"NotFound","message":"no"}')
    async with connected(application((200, b'{"metadata":{"name":"a"}}'), missing, missing)) as client:
        assert (await client.get(SECRETS, "talent", "a")).metadata.name == "a"
        with pytest.raises(NotFound):
            await client.get(SECRETS, "talent", "a")
        assert await client.find(SECRETS, "talent", "a") is None


async def test_client_reads_no_more_than_max_bytes() -> None:
    """A response of exactly so many is read."""
    async with connected(application((200, b"x" * 100), (200, b"x" * 101))) as client:
        assert await client.request("GET", "/", max_bytes=100) == b"x" * 100
        with pytest.raises(TooLarge):
            await client.request("GET", "/", max_bytes=100)


async def test_client_tries_a_401_once_more() -> None:
    """A credential may have been renewed meanwhile; a second 401 is an error."""
    refusal = (401, b'{"code":401,"reason":"Unauthorized","message":"who?"}')
    async with connected(application(refusal, (200, b"ok"), refusal, refusal)) as client:
        assert await client.request("GET", "/") == b"ok"
        with pytest.raises(Exception, match="401 Unauthorized"):
            await client.request("GET", "/")


async def test_client_without_a_server_is_unreachable() -> None:
    """Whatever the library raises."""
    client = KubeClient(ClientIdentity(FixedSource(RestConfig("http://127.0.0.1:1"))), "tests")
    with pytest.raises(Unreachable):
        await client.request("GET", "/")
    await client.close()


@pytest.mark.parametrize(("conflicts", "attempts"), [(0, 1), (2, 3)])
async def test_retry_on_conflict_returns_the_first_success(conflicts: int, attempts: int) -> None:
    """After one attempt more than there were conflicts."""
    outcomes: list[Exception | str] = [*([CONFLICT] * conflicts), "done"]
    made = 0

    async def attempt() -> str:
        nonlocal made
        made += 1
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert await retry_on_conflict(attempt, max_attempts=3) == "done"
    assert made == attempts


@pytest.mark.parametrize(("error", "attempts"), [(CONFLICT, 3), (NotFound(404, "NotFound", "gone"), 1)])
async def test_retry_on_conflict_raises_the_last_conflict_and_any_other_error_at_once(error: Exception, attempts: int) -> None:
    """As `RetryOnConflict` of client-go."""
    made = 0

    async def attempt() -> None:
        nonlocal made
        made += 1
        raise error

    with pytest.raises(type(error)):
        await retry_on_conflict(attempt, max_attempts=3)
    assert made == attempts
