"""Whose bearer token this is: an access token of this issuer is an agent's, anything else is for the API server to judge.

A refusal says nothing about why; the log does.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import jwt
import structlog

from agentidp.authentication.bearer import bearer_token
from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import allowed_scopes
from agentidp.domain.secrets.client_secrets import PREFIX
from agentidp.domain.tokens.access_tokens import AccessToken, read_token
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.pager import list_all
from agentidp.runtime.logs import LogLimit
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authorization import Caller
from management_api.auth.expiring_cache import ExpiringCache
from management_api.auth.kubernetes_caller import KubernetesCaller, Reviews
from management_api.auth.published_keys import PublishedKeys
from management_api.auth.token_reviews import TokenReviews
from management_api.cache.agents import CACHED_AGENTS, CachedAgent
from management_api.cache.cluster_cache import ClusterCache
from management_api.errors import ApiFailure, no_token, unauthorized, unavailable
from management_api.limits import DEFAULT_LIMITS, Limits
from management_api.settings import ManagementApiSettings

MAX_TOKEN_LENGTH = 16_384
GONE_SECONDS = 3600.0
"""So long an agent that the API server did not have is not looked up again: should it come back, the watch tells."""

log = structlog.get_logger()


class BearerAuthentication:
    """Turns Authorization headers into callers."""

    def __init__(
        self,
        settings: ManagementApiSettings,
        cluster: KubeClient,
        cache: ClusterCache,
        cluster_keys: IssuerKeys,
        limits: Limits = DEFAULT_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer, self._audience = str(settings.issuer), settings.audience
        self._cluster = cluster
        self._cache = cache
        self._keys = PublishedKeys(settings.keys_url)
        self._reviews = Reviews(cluster, limits.concurrent_reviews)
        self._tokens = TokenReviews(self._reviews, cluster_keys, limits)
        self._clock = clock
        self._gone: ExpiringCache[str, bool] = ExpiringCache(GONE_SECONDS)
        self._looking_up: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._refusals = LogLimit()

    async def caller(self, authorization: list[str]) -> Caller:
        """Who it is (RFC 6750, section 2.1). Raises Failure."""
        token = _bearer_token(authorization)
        if token is None:
            raise no_token()
        try:
            claims = _claims(token)
            return await (self._agent(token) if claims.get("iss") == self._issuer else self._user(token, claims))
        except ApiError as trouble:
            if (left_out := self._refusals.take()) is not None:
                log.warning("a caller could not be authenticated", why=str(trouble), left_out_before=left_out)
            raise unavailable("The API server cannot be asked who this is now. Nothing was done.") from trouble

    async def _agent(self, token: str) -> Caller:
        read = read_token(token, await self._keys.for_token(token), self._issuer)
        if read is None:
            raise self._refused("NotOurs")
        agent = self._cache.agent(read.client_id) or await self._look_up(read)
        why = self._why_refused(read, agent)
        if why or agent is None:
            raise self._refused(why or "UnknownAgent", read.client_id)
        organization = self._cache.organization_of(agent)
        scopes = set((read.scope or "").split()).intersection(allowed_scopes(agent.client, organization))
        return AgentCaller(agent, frozenset(scopes), organization)

    def _why_refused(self, read: AccessToken, agent: CachedAgent | None) -> str | None:
        """As the token service judges a token (RFC 7662, section 2.2), and whether it is meant for this API."""
        if read.expires <= self._clock():
            return "Expired"
        if not read.is_meant_for(self._audience):
            return "OtherAudience"
        if read.jti in self._cache.revocations.table:
            return "Revoked"
        return "UnknownAgent" if agent is None else self._why_agent_is_refused(read, agent)

    def _why_agent_is_refused(self, read: AccessToken, agent: CachedAgent) -> str | None:
        if read.organization_id not in {None, agent.client.organization_id}:
            return "OtherOrganization"
        valid_after = agent.client.tokens_valid_after
        if valid_after is not None and read.issued_at < valid_after:
            return "IssuedTooEarly"
        return agent_failure(agent.client, self._cache.organization_of(agent))

    async def _look_up(self, read: AccessToken) -> CachedAgent | None:
        """The token is genuine, so there was such an agent: the watch may only not have told yet.

        Whoever has a token of an agent that is gone costs the API server one list, however often they ask.
        """
        if read.expires <= self._clock():
            return None
        async with self._looking_up.setdefault(read.client_id, asyncio.Lock()):
            if self._gone.find(read.client_id):
                return None
            selector = {"fieldSelector": f"status.agentId={read.client_id}"}
            found = await list_all(self._cluster, CACHED_AGENTS, selector=selector)
            if not found:
                self._gone.add(read.client_id, True)
            return min(found, key=lambda agent: agent.precedence, default=None)

    async def _user(self, token: str, claims: dict[str, Any]) -> Caller:
        """A secret that was sent by mistake is not passed on: it might be logged."""
        user = None if PREFIX in token else await self._tokens.user(token, claims)
        if user is None:
            raise self._refused("UnknownToken")
        return KubernetesCaller(user, self._reviews)

    def _refused(self, why: str, client_id: str | None = None) -> ApiFailure:
        left_out = self._refusals.take()
        if left_out is not None:
            log.info("caller refused", reason=why, client_id=client_id, left_out_before=left_out)
        return unauthorized()


def _bearer_token(authorization: list[str]) -> str | None:
    """Return the token of the only Authorization header, None where there is another number of them or no valid token."""
    return (bearer_token(authorization[0], MAX_TOKEN_LENGTH) or None) if len(authorization) == 1 else None


def _claims(token: str) -> dict[str, Any]:
    """What the token says of itself, unproven: this only decides who is asked to prove it."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}
    return claims
