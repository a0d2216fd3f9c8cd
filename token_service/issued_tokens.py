"""Access tokens that exist: whether one is active, and the TokenRevocation that revokes one in every replica.

A token is active by its signature, its expiry, revocations and the state of its agent. Nothing here authenticates a client.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from agentidp.cache.revocations import RevokedToken
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.resources import ObjectMeta, TokenRevocation, TokenRevocationSpec
from agentidp.domain.tokens.access_tokens import AccessToken, read_token
from agentidp.domain.tokens.oauth_errors import unavailable
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Conflict
from agentidp.kube.kinds import TOKEN_REVOCATIONS
from token_service.cluster.cache import ClientIndex, ClusterCache
from token_service.cluster.live_reads import LiveReader


class TokenValidator:
    """Validates the access tokens of one issuer."""

    def __init__(
        self, issuer: str, cache: ClusterCache, live_reader: LiveReader, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._cache = cache
        self._live_reader = live_reader
        self._clock = clock

    def genuine(self, token: str) -> AccessToken | None:
        """The claims of a token of ours that has not expired and was not revoked, whatever became of its agent."""
        access_token = read_token(token, self._cache.keys.public_keys(), self._issuer)
        if access_token is None or access_token.expires <= self._clock():
            return None
        return None if access_token.jti in self._cache.revocations.table else access_token

    def revoke(self, access_token: AccessToken, namespace: str) -> None:
        """Treat the token of an agent in `namespace` as revoked, before the watch reports its TokenRevocation."""
        self._cache.revocations.put(RevokedToken(access_token.jti, access_token.client_id, namespace or None))

    async def active(self, token: str) -> AccessToken | None:
        """The claims of a token that is active (RFC 7662, section 2.2), None where it is not.

        An agent that the cluster cache does not have is read from the API server. Raises OAuthError where that fails.
        """
        access_token = self.genuine(token)
        if access_token is None or not is_client_id(access_token.client_id):
            return None
        clients = self._cache.clients
        if not _is_of(access_token, clients.agent(access_token.client_id)):
            try:
                clients = await self._live_reader.latest(access_token.client_id, exists=True)
            except ApiError as error:
                raise unavailable("The API server cannot be asked about this token's client now.", 1) from error
            if self.genuine(token) is None:  # it was revoked, or has expired, during the read
                return None
        return access_token if _may_have(clients, access_token) else None


def _may_have(clients: ClientIndex, access_token: AccessToken) -> bool:
    """Whether the token's agent may have tokens, and this one was issued after `spec.tokensValidAfter`."""
    agent = clients.agent(access_token.client_id)
    if agent is None or agent_failure(agent, clients.organization(agent)) or not _is_of(access_token, agent):
        return False
    return agent.tokens_valid_after is None or access_token.issued_at >= agent.tokens_valid_after


def _is_of(access_token: AccessToken, agent: ClientAgent | None) -> bool:
    """Whether this is the agent that a token names, in the organization that the token names."""
    return agent is not None and access_token.organization_id in {None, agent.organization_id}


class RevocationWriter:
    """Writes TokenRevocations in the token service's namespace, from which all replicas learn of a revocation."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def __call__(self, access_token: AccessToken, namespace: str) -> None:
        """Record that this token of an agent in `namespace` is revoked, unless it is recorded already. Raises ApiError."""
        spec = TokenRevocationSpec(
            expires_at=datetime.fromtimestamp(access_token.expires, UTC),
            client_id=access_token.client_id,
            namespace=namespace or None,
            revoked_at=datetime.now(UTC),
        )
        meta = ObjectMeta(name=access_token.jti, namespace=self._namespace)
        try:
            await self._client.create(TOKEN_REVOCATIONS, TokenRevocation(metadata=meta, spec=spec))
        except Conflict:
            return
