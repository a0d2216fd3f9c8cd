"""POST /token/revoke: token revocation, RFC 7009.

A client revokes its own tokens, by its credentials or with an access token of its own for this issuer. An unknown or foreign
token is answered like a revoked one (section 2.2). Every replica learns of it through a TokenRevocation.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Response

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.domain.tokens.oauth_errors import OUT_OF_TOUCH, OAuthError, invalid_request, unavailable
from agentidp.kube.errors import ApiError
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.cluster.clients import ClientIndex
from token_service.endpoints.openapi import FORM_ERRORS, error_responses, token_body
from token_service.http.request import FormRequest
from token_service.http.response import JsonResponse
from token_service.rate_limits.revocation_quota import AT_ONCE, CLIENTS, MOST, RevocationQuota
from token_service.tokens.validation import TokenValidator

Record = Callable[[AccessToken, str], Awaitable[None]]
"""Writes a TokenRevocation for a token of an agent in this namespace, unless there is one. Raises ApiError."""

_NO_TOKEN = invalid_request("token is missing.")
_REVOKED = JsonResponse(200, b"")

DOCUMENTATION: dict[str, Any] = {
    "summary": "Revoke an access token",
    "description": (
        "RFC 7009. The caller is the token's client, by its credentials or an access token of its own for this issuer."
        f" A client may revoke {AT_ONCE} tokens at once and then one a second, and have {MOST} that have not expired yet;"
        f" the clients of a namespace together {CLIENTS} times as many."
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
    """Ends tokens."""

    def __init__(
        self,
        callers: ClientAuthenticator,
        tokens: TokenValidator,
        limits: RevocationQuota,
        freshness: Freshness,
        record: Record,
        clients: ClientIndex,
    ) -> None:
        self._callers = callers
        self._tokens = tokens
        self._limits = limits
        self._freshness = freshness
        self._record = record
        self._clients = clients

    async def handle(self, request: FormRequest) -> JsonResponse | OAuthError:
        """Nothing, once the token is not good any more."""
        token = request.form.get("token")
        if token is None:
            return _NO_TOKEN
        if not self._freshness.is_fresh():
            return OUT_OF_TOUCH
        caller = await self._callers.client_id(request)
        if isinstance(caller, OAuthError):
            return caller
        read = self._tokens.genuine(token)
        return await self._revoke(read) if read and read.client_id == caller else _REVOKED

    async def _revoke(self, read: AccessToken) -> JsonResponse | OAuthError:
        agent = self._clients.agent(read.client_id)
        namespace = agent.namespace if agent else ""
        refusal = self._limits.take(read.client_id, namespace)
        if refusal:
            return refusal
        try:
            await self._record(read, namespace)
        except ApiError:
            return unavailable("The revocation could not be recorded.", 1)
        self._tokens.forget(read, namespace)
        return _REVOKED
