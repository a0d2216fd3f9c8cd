"""POST /token/introspect: token introspection, RFC 7662.

Whoever asks is a client with its credentials, or has an access token for this issuer with the scope `tokens:read`. A token that
is not ours, has expired or was revoked, or whose agent may have no tokens, is not active, and nothing else is said of it
(section 2.2).
"""

from typing import Any

import msgspec

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.domain.tokens.oauth_errors import OUT_OF_TOUCH, OAuthError, invalid_request
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.endpoints.openapi import FORM_ERRORS, error_responses, json_response, token_body
from token_service.http.request import FormRequest
from token_service.http.response import JsonResponse
from token_service.tokens.validation import TokenValidator

SCOPE = "tokens:read"

_NO_TOKEN = invalid_request("token is missing.")
_INACTIVE = JsonResponse(200, b'{"active":false}')

DOCUMENTATION: dict[str, Any] = {
    "summary": "Ask whether an access token is good",
    "description": (
        "RFC 7662. The caller authenticates as a client, or with an access token for this issuer and the scope tokens:read."
    ),
    "tags": ["tokens"],
    "responses": {
        200: json_response(
            "What the token is.",
            {
                "type": "object",
                "required": ["active"],
                "properties": {
                    "active": {"type": "boolean"},
                    **{name: {"type": "string"} for name in ("iss", "sub", "client_id", "scope", "jti", "token_type")},
                    **{name: {"type": "string"} for name in ("credential_id", "organization_id")},
                    **{name: {"type": "integer"} for name in ("iat", "exp")},
                    "aud": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                },
            },
        ),
        **error_responses(*FORM_ERRORS, 403),
    },
    "openapi_extra": token_body(),
}


class IntrospectionEndpoint:
    """Tells what became of tokens."""

    def __init__(self, issuer: str, callers: ClientAuthenticator, tokens: TokenValidator, freshness: Freshness) -> None:
        self._issuer = issuer
        self._callers = callers
        self._tokens = tokens
        self._freshness = freshness

    async def handle(self, request: FormRequest) -> JsonResponse | OAuthError:
        """What the token is, or why the caller is not told."""
        token = request.form.get("token")
        if token is None:
            return _NO_TOKEN
        if not self._freshness.is_fresh():
            return OUT_OF_TOUCH
        caller = await self._callers.client_id(request, SCOPE)
        if isinstance(caller, OAuthError):
            return caller
        read = await self._tokens.active(token)
        if isinstance(read, OAuthError):
            return read
        return JsonResponse(200, msgspec.json.encode(self._told(read))) if read else _INACTIVE

    def _told(self, read: AccessToken) -> dict[str, Any]:
        claims = {name: value for name, value in msgspec.to_builtins(read).items() if value is not None}
        return {"active": True, "iss": self._issuer, "sub": read.client_id, "token_type": "Bearer", **claims}
