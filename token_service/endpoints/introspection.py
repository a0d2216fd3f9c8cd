"""POST /token/introspect: token introspection, RFC 7662.

The caller authenticates as a client, or has an access token for this issuer with the scope `tokens:read`. A token that is not
ours, has expired or was revoked, or whose agent may have no tokens, is not active, and the response says nothing else of it
(section 2.2).
"""

from typing import Any

import msgspec

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.domain.tokens.oauth_errors import invalid_request, out_of_touch
from agentidp.http_server.asgi import Receive
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.endpoints.openapi import FORM_ERRORS, error_responses, json_response, token_body
from token_service.http.request import RawRequest, parse_request
from token_service.http.response import JsonResponse
from token_service.issued_tokens import TokenValidator

SCOPE = "tokens:read"

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
    """Reports whether access tokens are active."""

    def __init__(self, issuer: str, authenticator: ClientAuthenticator, tokens: TokenValidator, freshness: Freshness) -> None:
        self._issuer = issuer
        self._authenticator = authenticator
        self._tokens = tokens
        self._freshness = freshness

    async def handle(self, raw: RawRequest, receive: Receive) -> JsonResponse:
        """Answer an introspection request. Raises OAuthError and AuthenticationFailed."""
        request = parse_request(raw, receive)
        token = request.form.get("token")
        if token is None:
            raise invalid_request("token is missing.")
        if not self._freshness.is_fresh():
            raise out_of_touch()
        await self._authenticator.client_id(request, SCOPE)
        access_token = await self._tokens.active(token)
        return JsonResponse(200, msgspec.json.encode(self._claims(access_token))) if access_token else _INACTIVE

    def _claims(self, access_token: AccessToken) -> dict[str, Any]:
        claims = {name: value for name, value in msgspec.to_builtins(access_token).items() if value is not None}
        return {"active": True, "iss": self._issuer, "sub": access_token.client_id, "token_type": "Bearer", **claims}
