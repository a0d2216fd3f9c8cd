"""GET /.well-known/jwks.json: the public keys of access tokens as a JWK Set, RFC 7517, section 5.

Clients may cache it, because a key is published long before it signs.
"""

from fastapi import FastAPI, Response

from agentidp.domain.tokens.oauth_errors import unavailable
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import error_responses, json_response
from token_service.http.response import error_response, framework_response

PATH = "/.well-known/jwks.json"

_SCHEMA = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object", "required": ["kty", "kid", "use", "alg"]}}},
}
_NO_KEY = error_response(unavailable("There is no signing key yet.", 5))


def add_jwks(app: FastAPI, keys: SigningKeys, max_age_seconds: int, path: str = PATH) -> None:
    """Add the endpoint; clients may cache the JWK Set for `max_age_seconds`."""

    @app.get(path, tags=["metadata"], responses={200: json_response("A JWK Set.", _SCHEMA), **error_responses(503)})
    async def jwks() -> Response:
        """The keys that tokens are checked with (RFC 7517)."""
        if not keys.writer():
            return framework_response(_NO_KEY)
        headers = {"Cache-Control": f"public, max-age={max_age_seconds}"}
        return Response(keys.jwks(), headers=headers, media_type="application/json")
