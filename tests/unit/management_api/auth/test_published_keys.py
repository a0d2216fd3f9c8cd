"""Published keys: fetched when they are needed, once for all callers, and not trusted for ever."""

import asyncio
from collections.abc import AsyncIterator

import jwt
import pytest
from aiohttp import web

from agentidp.domain.resources import Secret
from management_api.auth.published_keys import PublishedKeys
from management_api.errors import ApiFailure
from management_api.limits import DEFAULT_LIMITS
from tests.support.clocks import ManualClock
from tests.support.token_services import signing_keys
from token_service.cluster.signing_keys import SigningKeys

Service = tuple[str, list[str]]


def a_key_ring(secret: Secret) -> SigningKeys:
    """The keys of a token service."""
    ring = SigningKeys()
    ring.put(secret)
    return ring


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The URL where a token service publishes its keys after 0.1 s, and the paths that were requested."""
    paths: list[str] = []
    ring = a_key_ring(signing_keys())

    async def respond(request: web.Request) -> web.Response:
        paths.append(request.path)
        await asyncio.sleep(0.1)
        return web.Response(body=ring.jwks(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/jwks.json", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json", paths
    await runner.cleanup()


async def test_keys_are_fetched_once_for_concurrent_callers(service: Service) -> None:
    """The first callers after a start come together, and none of them is refused."""
    url, paths = service
    keys = PublishedKeys(url, DEFAULT_LIMITS)
    a_token = jwt.encode({}, "x" * 32, headers={"kid": "a-key"})
    results = await asyncio.gather(*(keys.for_token(a_token) for _ in range(10)))
    assert all(results)
    assert paths == ["/jwks.json"]


async def test_keys_are_not_fetched_for_each_invented_key_id(service: Service) -> None:
    """A client that invents key ids does not flood the token service."""
    url, paths = service
    keys = PublishedKeys(url, DEFAULT_LIMITS)
    for number in range(20):
        found = await keys.for_token(jwt.encode({}, "x" * 32, headers={"kid": f"invented-{number}"}))
        assert f"invented-{number}" not in found
    assert len(paths) == 1


async def test_keys_that_are_too_old_are_not_trusted(service: Service) -> None:
    """While the token service is away, a key that was withdrawn is accepted for an hour at most."""
    url, paths = service
    clock = ManualClock()
    keys = PublishedKeys(url, DEFAULT_LIMITS, clock)
    a_token = jwt.encode({}, "x" * 32, headers={"kid": "a-key"})
    assert await keys.for_token(a_token)
    away = PublishedKeys("http://nobody.invalid/jwks.json", DEFAULT_LIMITS, clock)
    with pytest.raises(ApiFailure, match="Nothing was done"):
        await away.for_token(a_token)
    clock.now += DEFAULT_LIMITS.keys_refresh_seconds + 1
    assert await keys.for_token(a_token)
    assert len(paths) == 2
