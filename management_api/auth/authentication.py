"""Bearer authentication (RFC 6750, section 2.1): turns an Authorization header into a caller.

Flows in: a header. A token whose `iss` is this issuer is an agent's access token, and is verified here with the published keys;
any other token is for the API server to review (`token_reviews`). Flows out: a caller, or 401, which says nothing about the
reason: the log does, at a bounded rate. An agent that the cache does not have is looked up in the API server once, and its
absence is cached for `Limits.missing_agent_seconds`: an agent that is created later comes with the watch.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog

from agentidp.authentication.bearer import bearer_token
from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import allowed_scopes
from agentidp.domain.secrets.client_secrets import PREFIX
from agentidp.domain.tokens.access_tokens import AccessToken, read_token
from agentidp.domain.tokens.compact_jws import is_padded, unverified_claims
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.pager import list_all
from agentidp.runtime.logs import LogLimit
from agentidp.runtime.single_flight import SingleFlight
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authorization import Caller
from management_api.auth.expiring_cache import ExpiringCache
from management_api.auth.kubernetes_caller import KubernetesCaller, Reviews
from management_api.auth.published_keys import PublishedKeys
from management_api.auth.token_reviews import TokenReviews
from management_api.cache.agents import CACHED_AGENTS, CachedAgent
from management_api.cache.cluster_cache import ClusterCache
from management_api.errors import ApiFailure, no_token, unauthorized, unavailable
from management_api.limits import Limits
from management_api.settings import ManagementApiSettings

log = structlog.get_logger()


class BearerAuthentication:
    """Authenticates agents by their access tokens, users and ServiceAccounts by tokens of the cluster."""

    def __init__(
        self,
        settings: ManagementApiSettings,
        cluster: KubeClient,
        cache: ClusterCache,
        cluster_keys: IssuerKeys,
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer, self._audience = str(settings.issuer), settings.audience
        self._cluster = cluster
        self._cache = cache
        self._keys = PublishedKeys(settings.keys_url, limits)
        self._reviews = Reviews(cluster, limits)
        self._token_reviews = TokenReviews(self._reviews, cluster_keys, limits)
        self._max_token_length = limits.max_token_length
        self._clock = clock
        self._missing_agents: ExpiringCache[str, bool] = ExpiringCache(limits.missing_agent_seconds, limits)
        self._lookups: SingleFlight[str, CachedAgent | None] = SingleFlight()
        self._log_limit = LogLimit()

    async def caller(self, authorization: list[str]) -> Caller:
        """Return the caller of a request with these Authorization headers. Raises ApiFailure."""
        token = bearer_token(authorization[0], self._max_token_length) if len(authorization) == 1 else None
        if not token:
            raise no_token()
        try:
            claims = unverified_claims(token)
            return await (self._agent(token) if claims.get("iss") == self._issuer else self._user(token, claims))
        except ApiError as error:
            if (left_out := self._log_limit.take()) is not None:
                log.warning("a caller could not be authenticated", why=str(error), left_out_before=left_out)
            raise unavailable("The API server cannot authenticate the caller now. Nothing was done.") from error

    async def _agent(self, token: str) -> Caller:
        """Return the agent of an access token, with the scopes that it and its organization still allow."""
        access_token = read_token(token, await self._keys.for_token(token), self._issuer)
        if access_token is None:
            raise self._refusal("NotOurs")
        agent = self._cache.agent(access_token.client_id) or await self._look_up(access_token)
        reason = self._failure(access_token, agent)
        if reason or agent is None:
            raise self._refusal(reason or "UnknownAgent", access_token.client_id)
        organization = self._cache.organization_of(agent)
        scopes = set((access_token.scope or "").split()).intersection(allowed_scopes(agent.client, organization))
        return AgentCaller(agent, frozenset(scopes), organization)

    def _failure(self, token: AccessToken, agent: CachedAgent | None) -> str | None:
        """Return why the token is not active (RFC 7662, section 2.2) or not for this API (RFC 9068, section 4), else None."""
        if token.expires <= self._clock():
            return "Expired"
        if not token.is_meant_for(self._audience):
            return "OtherAudience"
        if token.jti in self._cache.revocations.table:
            return "Revoked"
        return "UnknownAgent" if agent is None else self._agent_failure(token, agent)

    def _agent_failure(self, token: AccessToken, agent: CachedAgent) -> str | None:
        if token.organization_id not in {None, agent.client.organization_id}:
            return "OtherOrganization"
        valid_after = agent.client.tokens_valid_after
        if valid_after is not None and token.issued_at < valid_after:
            return "IssuedTooEarly"
        return agent_failure(agent.client, self._cache.organization_of(agent))

    async def _look_up(self, token: AccessToken) -> CachedAgent | None:
        """Look the agent up in the API server. The token is genuine: the watch may be late, or the agent may be deleted."""
        if token.expires <= self._clock() or self._missing_agents.find(token.client_id):
            return None
        return await self._lookups.run(token.client_id, lambda: self._list_agents(token.client_id))

    async def _list_agents(self, agent_id: str) -> CachedAgent | None:
        agents = await list_all(self._cluster, CACHED_AGENTS, selector={"fieldSelector": f"status.agentId={agent_id}"})
        if not agents:
            self._missing_agents.add(agent_id, True)
        return min(agents, key=lambda agent: agent.precedence, default=None)

    async def _user(self, token: str, claims: dict[str, Any]) -> Caller:
        """Return whom the API server takes the token for. A client secret that was sent by mistake does not go there."""
        user = None if PREFIX in token or is_padded(token) else await self._token_reviews.user(token, claims)
        if user is None:
            raise self._refusal("UnknownToken")
        return KubernetesCaller(user, self._reviews)

    def _refusal(self, reason: str, client_id: str | None = None) -> ApiFailure:
        left_out = self._log_limit.take()
        if left_out is not None:
            log.info("caller refused", reason=reason, client_id=client_id, left_out_before=left_out)
        return unauthorized()
