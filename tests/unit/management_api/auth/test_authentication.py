"""Bearer authentication: agents by their access tokens, users by tokens that an API server accepts."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

import jwt
import pytest
import structlog
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from msgspec.structs import replace

from agentidp.authentication.issuer_keys import IssuerDiscovery, IssuerKeys
from agentidp.authentication.reviews import TOKEN_REVIEWS
from agentidp.domain.identity.administration import READ
from agentidp.domain.tokens.access_tokens import TYPE
from agentidp.kube.kinds import AGENTS
from agentidp.runtime.settings import Url, Urls
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authentication import BearerAuthentication
from management_api.cache.cluster_cache import ClusterCache
from management_api.errors import ApiFailure
from management_api.limits import DEFAULT_LIMITS, Limits
from management_api.settings import ManagementApiSettings
from tests.support.management_parts import a_cached_agent
from tests.support.stand_ins import connected
from tests.support.worlds import a_uid

GOOD = "a-token-of-somebody"
SETTINGS = ManagementApiSettings(issuer=Url("https://idp.example"), token_service_url=Urls((Url("http://127.0.0.1:1"),)))


@pytest.fixture
async def bearers() -> AsyncIterator[BearerAuthentication]:
    """The API server accepts one token; one token of an unknown issuer may be reviewed, and no answer is cached."""

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        return web.json_response({"status": {"authenticated": token == GOOD, "user": {"username": "somebody"}}})

    app = web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    async with connected(app) as cluster:
        limits = Limits(unproven_token_reviews_per_second=1e-6, max_unproven_token_review_burst=1, token_review_seconds=0)
        yield BearerAuthentication(SETTINGS, cluster, ClusterCache(), IssuerKeys(IssuerDiscovery(cluster)), limits)


async def test_bearer_that_was_accepted_is_reviewed_again_during_a_flood(
    bearers: BearerAuthentication,
) -> None:
    """Only a new token gets 503 meanwhile."""
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"
    for _ in range(3):
        with pytest.raises(ApiFailure) as raised:
            await bearers.caller(["Bearer of-nobody"])
        assert raised.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"


async def test_bearer_that_the_api_server_does_not_accept_is_refused(bearers: BearerAuthentication) -> None:
    """401 after a review."""
    with pytest.raises(ApiFailure) as raised:
        await bearers.caller(["Bearer of-nobody"])
    assert raised.value.status == HTTPStatus.UNAUTHORIZED


async def test_bearer_that_is_refused_gets_a_challenge(bearers: BearerAuthentication) -> None:
    """RFC 6750, section 3: without a token, with an invalid one, and with one that lacks the scope."""
    reader = AgentCaller(a_cached_agent(), frozenset({READ}), None)
    with pytest.raises(ApiFailure) as missing:
        await bearers.caller([])
    with pytest.raises(ApiFailure) as bad:
        await bearers.caller(["Bearer of-nobody"])
    with pytest.raises(ApiFailure) as without_scope:
        await reader.placement(None, None)
    assert [raised.value.headers for raised in (missing, bad, without_scope)] == [
        {"WWW-Authenticate": 'Bearer realm="agentidp"'},
        {"WWW-Authenticate": 'Bearer realm="agentidp", error="invalid_token"'},
        {"WWW-Authenticate": 'Bearer realm="agentidp", error="insufficient_scope", scope="agents:write"'},
    ]


KEY, KEY_ID = ec.generate_private_key(ec.SECP256R1()), "k1"
JWKS = {"keys": [{**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": KEY_ID, "alg": "ES256"}]}


@dataclass
class Requests:
    """What the API server was asked: the tokens that it reviewed, and the selectors of lists of agents."""

    tokens: list[str]
    selectors: list[str]
    bearers: BearerAuthentication


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    """With the default limits. The API server accepts every token that names a subject, has no agents, and has a JWK Set."""
    tokens, selectors = list[str](), list[str]()

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        tokens.append(token)
        subject = jwt.decode(token, options={"verify_signature": False})["sub"]
        return web.json_response({"status": {"authenticated": True, "user": {"username": subject}}})

    async def agents(request: web.Request) -> web.Response:
        selectors.append(request.query["fieldSelector"])
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(JWKS)

    app, key_server = web.Application(), web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    app.router.add_get(AGENTS.path(), agents)
    key_server.router.add_get("/.well-known/jwks.json", keys)
    runner = web.AppRunner(key_server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = replace(SETTINGS, token_service_url=Urls((Url(f"http://127.0.0.1:{runner.addresses[0][1]}"),)))
    async with connected(app) as cluster:
        cluster_keys = IssuerKeys(IssuerDiscovery(cluster))
        bearers = BearerAuthentication(settings, cluster, ClusterCache(), cluster_keys, DEFAULT_LIMITS)
        yield Requests(tokens, selectors, bearers)
    await runner.cleanup()


def a_token(namespace: str, number: int) -> str:
    """A token of a ServiceAccount, of an issuer that this API does not know."""
    claims = {"iss": "https://cluster.example", "sub": f"system:serviceaccount:{namespace}:worker", "jti": f"{number}"}
    return jwt.encode(claims, "k" * 32)


async def test_bearer_that_is_a_client_secret_is_not_reviewed_and_evicts_nothing(requests: Requests) -> None:
    """The API server might log it. Cached answers about other tokens stay."""
    assert await status_of(requests.bearers, a_token("quiet", 0)) == HTTPStatus.OK
    for number in range(11_000):
        assert await status_of(requests.bearers, f"sk_live_{number}") == HTTPStatus.UNAUTHORIZED
    assert await status_of(requests.bearers, a_token("quiet", 0)) == HTTPStatus.OK
    assert len(requests.tokens) == 1


async def test_bearer_with_padding_is_not_reviewed(requests: Requests) -> None:
    """Base64url has none in a JWS (RFC 7515, section 2), so it is refused, and its bare form is not."""
    token = a_token("quiet", 0)
    assert await status_of(requests.bearers, token + "=" * (-len(token.rpartition(".")[2]) % 4)) == HTTPStatus.UNAUTHORIZED
    assert requests.tokens == []
    assert await status_of(requests.bearers, token) == HTTPStatus.OK


async def test_bearer_of_a_deleted_agent_is_looked_up_once(requests: Requests) -> None:
    """Its tokens verify until they expire. Many requests, concurrent or not, cost the API server one list."""
    issuer, now = "https://idp.example", int(time.time())
    claims = {"iss": issuer, "sub": a_uid(1), "client_id": a_uid(1), "aud": issuer, "jti": a_uid(2), "iat": now}
    token, expired = (
        jwt.encode(claims | {"exp": now + life}, KEY, "ES256", {"kid": KEY_ID, "typ": TYPE}) for life in (60, -60)
    )
    assert await status_of(requests.bearers, expired) == HTTPStatus.UNAUTHORIZED
    assert not requests.selectors
    outcomes = await asyncio.gather(*(status_of(requests.bearers, token) for _ in range(20)))
    assert [*outcomes, await status_of(requests.bearers, token)] == [HTTPStatus.UNAUTHORIZED] * 21
    assert requests.selectors == [f"status.agentId={a_uid(1)}"]


async def test_refused_bearers_are_logged_at_a_bounded_rate(requests: Requests) -> None:
    """Anybody can send requests: lines that are left out are counted in the next one."""
    with structlog.testing.capture_logs() as lines:
        for number in range(1_000):
            await status_of(requests.bearers, f"sk_live_{number}")
    assert 0 < len(lines) < 500
    assert sum(1 + line["left_out_before"] for line in lines) <= 1_000


async def status_of(bearers: BearerAuthentication, token: str) -> HTTPStatus:
    """The status of the error, 200 for an authenticated caller."""
    try:
        await bearers.caller([f"Bearer {token}"])
    except ApiFailure as failure:
        return failure.status
    return HTTPStatus.OK
