"""Tokens of the cluster, which only the API server can judge: it is here a server that knows one of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from unittest.mock import AsyncMock

import jwt
import msgspec
import pytest
import structlog
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from agentidp.authentication.issuer_keys import IssuerDiscovery, IssuerKeys
from agentidp.authentication.reviews import TOKEN_REVIEWS
from agentidp.domain.identity.administration import READ
from agentidp.domain.tokens.access_tokens import TYPE, PublicKey
from agentidp.domain.tokens.signing_keys import Algorithm
from agentidp.kube.kinds import AGENTS
from agentidp.runtime.settings import Url, Urls
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authentication import BearerAuthentication
from management_api.auth.published_keys import PublishedKeys
from management_api.cache.agents import CACHED_AGENTS
from management_api.cache.cluster_cache import ClusterCache
from management_api.errors import ApiFailure
from management_api.limits import Limits
from management_api.settings import ManagementApiSettings
from tests.support.stand_ins import connected
from tests.support.worlds import a_registered_agent, a_uid

GOOD = "a-token-of-somebody"
SETTINGS = ManagementApiSettings(issuer=Url("https://idp.example"), token_service_url=Urls((Url("http://127.0.0.1:1"),)))


@pytest.fixture
async def bearers() -> AsyncIterator[BearerAuthentication]:
    """One token of nobody knows who may be looked up, and nothing is remembered."""

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        return web.json_response({"status": {"authenticated": token == GOOD, "user": {"username": "somebody"}}})

    app = web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    async with connected(app) as cluster:
        limits = Limits(unproven_token_reviews_per_second=1e-6, unproven_token_review_burst=1, token_review_seconds=0)
        yield BearerAuthentication(SETTINGS, cluster, ClusterCache(), IssuerKeys(IssuerDiscovery(cluster)), limits)


async def test_a_flood_of_unknown_tokens_does_not_keep_out_who_was_there_before(bearers: BearerAuthentication) -> None:
    """Only who comes for the first time meanwhile is told to come back."""
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"
    for _ in range(3):
        with pytest.raises(ApiFailure) as raised:
            await bearers.caller(["Bearer of-nobody"])
        assert raised.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"


async def test_who_comes_for_the_first_time_is_looked_up(bearers: BearerAuthentication) -> None:
    """And refused where the API server does not know them."""
    with pytest.raises(ApiFailure) as raised:
        await bearers.caller(["Bearer of-nobody"])
    assert raised.value.status == HTTPStatus.UNAUTHORIZED


async def test_a_refusal_says_how_to_authenticate_and_what_is_wrong(bearers: BearerAuthentication) -> None:
    """RFC 6750, section 3: to whoever shows no token, a bad one, or one without the scope."""
    agent = CACHED_AGENTS.decode(msgspec.Raw(msgspec.json.encode(a_registered_agent())))
    reader = AgentCaller(agent, frozenset({READ}), None)
    with pytest.raises(ApiFailure) as nothing:
        await bearers.caller([])
    with pytest.raises(ApiFailure) as bad:
        await bearers.caller(["Bearer of-nobody"])
    with pytest.raises(ApiFailure) as without_scope:
        await reader.placement(None, None)
    assert [raised.value.headers for raised in (nothing, bad, without_scope)] == [
        {"WWW-Authenticate": 'Bearer realm="agentidp"'},
        {"WWW-Authenticate": 'Bearer realm="agentidp", error="invalid_token"'},
        {"WWW-Authenticate": 'Bearer realm="agentidp", error="insufficient_scope", scope="agents:write"'},
    ]


@dataclass
class Asked:
    """The tokens that the API server was asked about, and what was looked up of agents."""

    tokens: list[str]
    looked_up: list[str]
    bearers: BearerAuthentication


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    """With the product's own bounds; every token that names a subject is good."""
    tokens, looked_up = list[str](), list[str]()

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        tokens.append(token)
        subject = jwt.decode(token, options={"verify_signature": False})["sub"]
        return web.json_response({"status": {"authenticated": True, "user": {"username": subject}}})

    async def agents(request: web.Request) -> web.Response:
        looked_up.append(request.query["fieldSelector"])
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    app = web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    app.router.add_get(AGENTS.path(), agents)
    async with connected(app) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        yield Asked(tokens, looked_up, BearerAuthentication(SETTINGS, cluster, ClusterCache(), keys))


def a_token(namespace: str, number: int) -> str:
    """Of a ServiceAccount; who issued it is not what this is about."""
    claims = {"iss": "https://cluster.example", "sub": f"system:serviceaccount:{namespace}:worker", "jti": f"{number}"}
    return jwt.encode(claims, "k" * 32)


async def test_a_secret_in_the_place_of_a_token_is_asked_about_nowhere_and_evicts_nothing(asked: Asked) -> None:
    """It costs no review, and so nobody's memory: whoever was there before is asked about no more."""
    assert await admitted(asked.bearers, a_token("quiet", 0)) == HTTPStatus.OK
    for number in range(11_000):
        assert await admitted(asked.bearers, f"sk_live_{number}") == HTTPStatus.UNAUTHORIZED
    assert await admitted(asked.bearers, a_token("quiet", 0)) == HTTPStatus.OK
    assert len(asked.tokens) == 1


async def test_an_agent_that_is_gone_is_looked_up_once(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tokens are genuine until they expire, and a list of all agents is dear: many requests, at once or not, one list."""
    key, kid = ec.generate_private_key(ec.SECP256R1()), "k1"
    published = {kid: PublicKey(Algorithm.ES256, key.public_key())}
    monkeypatch.setattr(PublishedKeys, "for_token", AsyncMock(return_value=published))
    issuer, now = "https://idp.example", int(time.time())
    claims = {"iss": issuer, "sub": a_uid(1), "client_id": a_uid(1), "aud": issuer, "jti": a_uid(2), "iat": now}
    token, expired = (
        jwt.encode(claims | {"exp": now + life}, key, Algorithm.ES256, {"kid": kid, "typ": TYPE}) for life in (60, -60)
    )
    assert await admitted(asked.bearers, expired) == HTTPStatus.UNAUTHORIZED
    assert not asked.looked_up
    outcomes = await asyncio.gather(*(admitted(asked.bearers, token) for _ in range(20)))
    assert [*outcomes, await admitted(asked.bearers, token)] == [HTTPStatus.UNAUTHORIZED] * 21
    assert asked.looked_up == [f"status.agentId={a_uid(1)}"]


async def test_a_flood_of_refused_callers_is_told_as_a_number(asked: Asked) -> None:
    """The log is not what strangers can fill."""
    with structlog.testing.capture_logs() as told:
        for number in range(1_000):
            await admitted(asked.bearers, f"sk_live_{number}")
    assert 0 < len(told) < 500
    assert sum(1 + line["left_out_before"] for line in told) <= 1_000


async def admitted(bearers: BearerAuthentication, token: str) -> HTTPStatus:
    """What comes of it."""
    try:
        await bearers.caller([f"Bearer {token}"])
    except ApiFailure as failure:
        return failure.status
    return HTTPStatus.OK
