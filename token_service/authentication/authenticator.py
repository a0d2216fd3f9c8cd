"""Client authentication: the client that sent a request, by its own authentication or by an access token.

Only an authenticated client is counted against its rate limit, so nobody uses up the limit of another client. Access tokens
travel: requests with one are counted apart from those with the client's own authentication, and the token must be meant for
this service.
"""

from agentidp.domain.tokens.oauth_errors import insufficient_scope, invalid_token, unavailable
from agentidp.kube.errors import ApiError
from token_service.authentication.client_assertion import ClientAssertionAuthenticator
from token_service.authentication.client_secret import ClientSecretAuthenticator
from token_service.authentication.last_used import LastUsedLog
from token_service.authentication.result import (
    AuthenticatedClient,
    AuthenticationFailed,
    AuthenticationFailure,
    ClientBySecret,
)
from token_service.http.presented_credentials import ClientAssertion, Presented, bearer_token, presented_by_client
from token_service.http.request import FormRequest, RawRequest
from token_service.issued_tokens import TokenValidator
from token_service.rate_limits import ClientRate


class ClientAuthenticator:
    """Authenticates requests by any method, notes the use of their secrets, and counts them against the client's rate."""

    def __init__(
        self,
        issuer: str,
        client_secrets: ClientSecretAuthenticator,
        client_assertions: ClientAssertionAuthenticator,
        tokens: TokenValidator,
        rate: ClientRate,
        last_used: LastUsedLog,
    ) -> None:
        self._issuer = issuer
        self._client_secrets = client_secrets
        self._client_assertions = client_assertions
        self._tokens = tokens
        self._rate = rate
        self._last_used = last_used

    async def client(self, request: FormRequest) -> AuthenticatedClient:
        """The client by its id and secret, or by the assertion of its workload; this counts a request of the client.

        Raises the failures that `form_endpoint.ERRORS` has.
        """
        client = await self.client_again(request)
        self._rate.take(client.agent.agent_id)
        return client

    async def client_again(self, request: FormRequest) -> AuthenticatedClient:
        """The client of a request that was counted before it waited. Raises like `client`."""
        presented = presented_by_client(request)
        if presented is None:
            raise AuthenticationFailed(AuthenticationFailure.NO_CLIENT_AUTHENTICATION)
        try:
            client = await self._client(presented, request)
        except ApiError as error:
            raise unavailable("The API server cannot be asked about this client now.", 1) from error
        self._note_use(client, request.raw)
        return client

    async def _client(self, presented: Presented, request: FormRequest) -> AuthenticatedClient:
        if isinstance(presented, ClientAssertion):
            return await self._client_assertions.authenticate(presented)
        return await self._client_secrets.authenticate(presented, request.receive)

    def count(self, client: AuthenticatedClient, raw: RawRequest) -> None:
        """Note the use of a secret, and count a request of this client. Raises OAuthError beyond its rate."""
        self._note_use(client, raw)
        self._rate.take(client.agent.agent_id)

    def _note_use(self, client: AuthenticatedClient, raw: RawRequest) -> None:
        """Each authentication is a use, at whichever endpoint, and whatever the request gets: its client has the secret."""
        if isinstance(client, ClientBySecret):
            self._last_used.used(client.credential_id, client.hash, raw)

    async def client_id(self, request: FormRequest, scope: str | None = None) -> str:
        """The caller's client_id, by client authentication or an access token (RFC 6750, section 2.1) with the scope.

        Raises the failures that `form_endpoint.ERRORS` has.
        """
        token = bearer_token(request)
        if token is None:
            return (await self.client(request)).agent.agent_id
        access_token = await self._tokens.active(token)
        if access_token is None or not access_token.is_meant_for(self._issuer):  # RFC 9068, section 4
            raise invalid_token()
        if scope and scope not in (access_token.scope or "").split(" "):
            raise insufficient_scope(scope)
        self._rate.take(f"bearer {access_token.client_id}")
        return access_token.client_id
