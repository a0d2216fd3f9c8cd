"""The keys that access tokens are checked with: fetched when they are needed, once for all who need them."""

import asyncio
from collections.abc import AsyncIterator

import jwt
import pytest
from aiohttp import web

from agentidp.domain.resources import Secret
from management_api.auth.published_keys import PublishedKeys
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
    """Where a token service publishes its keys, after a while; and the paths that it was asked for."""
    asked: list[str] = []
    ring = a_key_ring(signing_keys())

    async def tell(request: web.Request) -> web.Response:
        asked.append(request.path)
        await asyncio.sleep(0.1)
        return web.Response(body=ring.jwks(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/jwks.json", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json", asked
    await runner.cleanup()


async def test_whoever_comes_while_they_are_fetched_waits_for_them(service: Service) -> None:
    """The first callers after a start come together; none of them is sent away."""
    url, asked = service
    keys = PublishedKeys(url)
    a_token = jwt.encode({}, "x" * 32, headers={"kid": "a-key"})
    told = await asyncio.gather(*(keys.for_token(a_token) for _ in range(10)))
    assert all(told)
    assert asked == ["/jwks.json"]


async def test_a_key_that_nobody_has_is_not_asked_for_again_and_again(service: Service) -> None:
    """Whoever invents key ids does not thereby flood the token service."""
    url, asked = service
    keys = PublishedKeys(url)
    for number in range(20):
        known = await keys.for_token(jwt.encode({}, "x" * 32, headers={"kid": f"invented-{number}"}))
        assert f"invented-{number}" not in known
    assert len(asked) == 1
