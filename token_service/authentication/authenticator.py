"""Who calls: the client of a request, or the answer to whoever it is not. What is told is uniform, what is logged precise.

Only who has authenticated is counted against a client's limit, so nobody can use up another's. Access tokens get around: calls
with them are counted apart from those with the client's own authentication, and are for tokens that are meant for this service.
"""

from agentidp.domain.identity.clients import is_client_id
from agentidp.domain.tokens.client_assertions import Assertion, Workload
from agentidp.domain.tokens.oauth_errors import INVALID_CLIENT, INVALID_TOKEN, OAuthError, insufficient_scope
from token_service.authentication.client_assertion import ClientAssertionAuthenticator
from token_service.authentication.client_secret import ClientSecretAuthenticator
from token_service.authentication.failure import AuthenticationFailure, FailureReason
from token_service.authentication.failure_log import FailureLog
from token_service.authentication.result import AuthenticatedClient, AuthenticationResult
from token_service.http.client_authentication import ClientAssertion, ClientCredentials, bearer_token, presented_by_client
from token_service.http.request import FormRequest
from token_service.rate_limits.client_rate import ClientRate
from token_service.rate_limits.tarpit import Tarpit
from token_service.tokens.validation import TokenValidator


class ClientAuthenticator:
    """Authenticates requests."""

    def __init__(
        self,
        issuer: str,
        authenticator: ClientSecretAuthenticator,
        workloads: ClientAssertionAuthenticator,
        tokens: TokenValidator,
        limits: ClientRate,
        refusals: FailureLog,
        floods: Tarpit,
    ) -> None:
        self._issuer = issuer
        self._authenticator = authenticator
        self._workloads = workloads
        self._tokens = tokens
        self._limits = limits
        self._refusals = refusals
        self._floods = floods

    async def client(self, request: FormRequest) -> AuthenticatedClient | OAuthError:
        """The client by its id and secret, or by the assertion of its workload."""
        match presented_by_client(request):
            case ClientCredentials() as pair:
                return await self._judged(await self._authenticator.authenticate(pair, request.receive), pair.client_id)
            case ClientAssertion() as shown:
                return await self._workload(shown)
            case error:
                return await self._refused(AuthenticationFailure.NOT_A_PAIR) if error is INVALID_CLIENT else error

    async def _workload(self, shown: ClientAssertion) -> AuthenticatedClient | OAuthError:
        read = await self._workloads.read(shown.assertion)
        if not isinstance(read, Assertion):
            return await self._judged(read, shown.client_id)
        return await self._judged(await self._workloads.agent_of(read, shown.client_id), shown.client_id, read.workload)

    async def _judged(
        self, outcome: AuthenticationResult, client_id: str | None, workload: Workload | None = None
    ) -> AuthenticatedClient | OAuthError:
        """What the caller is told, and the log."""
        if isinstance(outcome, AuthenticatedClient):
            return self.count(outcome) or outcome
        if isinstance(outcome, OAuthError):
            return outcome
        told = client_id if client_id and is_client_id(client_id) else None  # people mix up fields, and this may be a secret
        return await self._refused(outcome, told, workload)

    async def _refused(self, why: FailureReason, client_id: str | None = None, workload: Workload | None = None) -> OAuthError:
        self._refusals.refused(why, client_id, workload)
        await self._floods.hold()
        return INVALID_CLIENT

    def count(self, client: AuthenticatedClient) -> OAuthError | None:
        """Count a request of this client; the refusal where it is one too many."""
        return self._limits.take(client.agent.agent_id)

    async def client_id(self, request: FormRequest, scope: str | None = None) -> str | OAuthError:
        """The client's id, by its own authentication or an access token (RFC 6750, section 2.1), which must have the scope."""
        token = bearer_token(request)
        if isinstance(token, OAuthError):
            return token
        if token is None:
            client = await self.client(request)
            return client if isinstance(client, OAuthError) else client.agent.agent_id
        read = await self._tokens.active(token)
        if isinstance(read, OAuthError):
            return read
        if read is None or not read.is_meant_for(self._issuer):
            await self._floods.hold()
            return INVALID_TOKEN
        if scope and scope not in (read.scope or "").split(" "):
            return insufficient_scope(scope)
        return self._limits.take(f"bearer {read.client_id}") or read.client_id
