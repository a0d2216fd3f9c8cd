"""Who calls: the client of a request, or the answer to whoever it is not. What is told is uniform, what is logged precise.

Only who has authenticated is counted against a client's limit, so nobody can use up another's.
"""

from agentidp.domain.clients import is_client_id
from agentidp.domain.oauth_errors import INVALID_CLIENT, INVALID_TOKEN, OAuthError, insufficient_scope
from token_service.authentication import Accepted, Authenticator
from token_service.client_limits import ClientLimits
from token_service.http.client_authentication import bearer_token, client_pair
from token_service.http.requests import FormRequest
from token_service.issued_tokens import IssuedTokens
from token_service.refusal_log import RefusalLog
from token_service.refusals import Refusal


class Callers:
    """Authenticates requests."""

    def __init__(self, authenticator: Authenticator, tokens: IssuedTokens, limits: ClientLimits, refusals: RefusalLog) -> None:
        self._authenticator = authenticator
        self._tokens = tokens
        self._limits = limits
        self._refusals = refusals

    async def client(self, request: FormRequest) -> Accepted | OAuthError:
        """The client by its id and secret."""
        pair = client_pair(request)
        if isinstance(pair, OAuthError):
            if pair is INVALID_CLIENT:
                self._refusals.refused(None, Refusal.NOT_A_PAIR)
            return pair
        outcome = await self._authenticator.authenticate(pair)
        if isinstance(outcome, Accepted):
            return self.count(outcome) or outcome
        if isinstance(outcome, OAuthError):
            return outcome
        told = pair.client_id if is_client_id(pair.client_id) else None  # people mix up fields, and this may be a secret
        self._refusals.refused(told, outcome)
        return INVALID_CLIENT

    def count(self, client: Accepted) -> OAuthError | None:
        """Count a request of this client; the refusal where it is one too many."""
        return self._limits.take(client.agent.agent_id)

    async def client_id(self, request: FormRequest, scope: str | None = None) -> str | OAuthError:
        """The client's id, by its secret or by an access token (RFC 6750, section 2.1), which must have the scope."""
        token = bearer_token(request.authorization)
        if token is None:
            client = await self.client(request)
            return client if isinstance(client, OAuthError) else client.agent.agent_id
        read = await self._tokens.active(token)
        if isinstance(read, OAuthError):
            return read
        if read is None:
            return INVALID_TOKEN
        if scope and scope not in (read.scope or "").split(" "):
            return insufficient_scope(scope)
        return self._limits.take(read.client_id) or read.client_id
