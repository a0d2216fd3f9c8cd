"""POST /token/revoke: token revocation, RFC 7009.

A client revokes its own tokens, by client authentication or with an access token of its own for this issuer. An unknown or
foreign token is answered like a revoked one (section 2.2). Every replica learns of a revocation through a TokenRevocation.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Response

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.domain.tokens.oauth_errors import invalid_request, out_of_touch, unavailable
from agentidp.http_server.asgi import Receive
from agentidp.kube.errors import ApiError
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.cluster.cache import ClientIndex
from token_service.endpoints.openapi import FORM_ERRORS, error_responses, token_body
from token_service.http.request import RawRequest, parse_request
from token_service.http.response import JsonResponse
from token_service.issued_tokens import TokenValidator
from token_service.limits import LIMITS
from token_service.rate_limits import RevocationQuota

Record = Callable[[AccessToken, str], Awaitable[None]]
"""Writes a TokenRevocation for a token of an agent in this namespace, unless there is one. Raises ApiError."""

_REVOKED = JsonResponse(200, b"")

DOCUMENTATION: dict[str, Any] = {
    "summary": "Revoke an access token",
    "description": (
        "RFC 7009. The caller is the token's client, by its credentials or an access token of its own for this issuer."
        f" A client may revoke {LIMITS.revocations_burst} tokens at once and then one a second, and have"
        f" {LIMITS.max_revocations} that have not expired yet;"
        f" the clients of a namespace together {LIMITS.namespace_revocation_factor} times as many."
        " To end all of its tokens at once, move spec.tokensValidAfter of its Agent."
    ),
    "tags": ["tokens"],
    "response_class": Response,  # without a body
    "responses": {
        200: {"description": "The token is not good, now or already."},
        **error_responses(*FORM_ERRORS),
    },
    "openapi_extra": token_body(),
}


class RevocationEndpoint:
    """Revokes access tokens of the client that asks for it."""

    def __init__(
        self,
        authenticator: ClientAuthenticator,
        tokens: TokenValidator,
        quota: RevocationQuota,
        freshness: Freshness,
        record: Record,
        clients: ClientIndex,
    ) -> None:
        self._authenticator = authenticator
        self._tokens = tokens
        self._quota = quota
        self._freshness = freshness
        self._record = record
        self._clients = clients

    async def handle(self, raw: RawRequest, receive: Receive) -> JsonResponse:
        """Answer a revocation request once the token is not active. Raises OAuthError and AuthenticationFailed."""
        request = parse_request(raw, receive)
        token = request.form.get("token")
        if token is None:
            raise invalid_request("token is missing.")
        if not self._freshness.is_fresh():
            raise out_of_touch()
        client_id = await self._authenticator.client_id(request)
        access_token = self._tokens.genuine(token)
        if access_token and access_token.client_id == client_id:  # RFC 7009, section 2.1
            await self._revoke(access_token)
        return _REVOKED

    async def _revoke(self, access_token: AccessToken) -> None:
        agent = self._clients.agent(access_token.client_id)
        namespace = agent.namespace if agent else ""
        self._quota.take(access_token.client_id, namespace)
        try:
            await self._record(access_token, namespace)
        except ApiError as error:
            raise unavailable("The revocation could not be recorded.", 1) from error
        self._tokens.revoke(access_token, namespace)
