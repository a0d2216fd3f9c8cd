"""Is an access token still good? Signature and expiry say what it was; the index says what became of it and of its agent."""

import time
from collections.abc import Callable

from agentidp.cache.revocations import RevokedToken
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.tokens.access_tokens import AccessToken, read_token
from agentidp.domain.tokens.oauth_errors import OAuthError, unavailable
from agentidp.kube.errors import ApiError
from token_service.cluster.cache import ClusterCache
from token_service.cluster.clients import ClientIndex
from token_service.cluster.live_reads import LiveReader


class TokenValidator:
    """The tokens of one issuer."""

    def __init__(
        self, issuer: str, known: ClusterCache, read_through: LiveReader, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._known = known
        self._read_through = read_through
        self._clock = clock

    def genuine(self, token: str) -> AccessToken | None:
        """What a token of ours says that has not expired and was not revoked, whatever became of its agent."""
        read = read_token(token, self._known.keys.public_keys(), self._issuer)
        if read is None or read.expires <= self._clock() or read.jti in self._known.revocations.table:
            return None
        return read

    def forget(self, read: AccessToken, namespace: str) -> None:
        """The token, of an agent in `namespace`, was revoked here, before the watch tells."""
        self._known.revocations.put(RevokedToken(read.jti, read.client_id, namespace or None))

    async def active(self, token: str) -> AccessToken | OAuthError | None:
        """What a token says that is good now (RFC 7662, section 2.2), None where it is not; or why that is not known."""
        read = self.genuine(token)
        if read is None or not is_client_id(read.client_id):
            return None
        index = self._known.clients
        if not _is_known(read, index.agent(read.client_id)):
            try:
                index = await self._read_through.latest(read.client_id, exists=True)
            except ApiError:
                return unavailable("The API server cannot be asked about this token's client now.", 1)
            if self.genuine(token) is None:  # it was revoked, or has expired, meanwhile
                return None
        return read if self._stands(read, index) else None

    def _stands(self, read: AccessToken, index: ClientIndex) -> bool:
        """Its agent may have tokens, is of the organization that it names, and this one is not among those that are void."""
        agent = index.agent(read.client_id)
        if agent is None or agent_failure(agent, index.organization(agent)):
            return False
        if not _is_known(read, agent):
            return False
        return agent.tokens_valid_after is None or read.issued_at >= agent.tokens_valid_after


def _is_known(read: AccessToken, agent: ClientAgent | None) -> bool:
    """Whether there is the agent that a token names, in the organization that the token names."""
    return agent is not None and read.organization_id in {None, agent.organization_id}
