"""GET /.well-known/oauth-authorization-server, /.well-known/openid-configuration and /.well-known/jwks.json.

The metadata (RFC 8414, section 3) follows from the issuer alone, and lists only what exists. This is no OpenID provider, but
many libraries look for the second document first. Some of them reject a document without the members that OpenID Connect
Discovery 1.0 requires (section 3), so it has those of them that are true here (decision 39). Clients may cache the JWK Set (RFC
7517, section 5), because a key is published long before it signs.
"""

from typing import Any

import msgspec
from fastapi import FastAPI, Response

from agentidp.domain.tokens.client_assertions import ALGORITHMS
from agentidp.domain.tokens.oauth_errors import unavailable
from agentidp.domain.tokens.signing_keys import Algorithm
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import Responses, error_responses, json_response
from token_service.http.response import error_response, framework_response

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
MAX_AGE_SECONDS = 300
"""Seconds for which clients may cache the metadata."""
AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]

_METADATA_SCHEMA = {"type": "object", "required": ["issuer", "response_types_supported"]}
_JWKS_SCHEMA = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object", "required": ["kty", "kid", "use", "alg"]}}},
}
_NO_KEY = error_response(unavailable("There is no signing key yet.", 5))


def metadata(issuer: str, endpoints: dict[str, str]) -> dict[str, Any]:
    """The document of RFC 8414; `endpoints` are paths by their registered names, such as `token_endpoint`."""
    document: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS,
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
    }
    for name, path in endpoints.items():
        document[name] = issuer + path
        document[f"{name}_auth_methods_supported"] = AUTH_METHODS
        document[f"{name}_auth_signing_alg_values_supported"] = ALGORITHMS
    return document


def openid_metadata(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the members that OpenID Connect Discovery requires beyond RFC 8414 and that are true here.

    `sub` is the same for every client ("public"). No ID token is issued; the algorithms are those of the access tokens, because
    libraries that verify tokens by this document take them for that. There is no `authorization_endpoint`.
    """
    return document | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm.value for algorithm in Algorithm],
    }


def add_metadata(app: FastAPI, document: dict[str, Any], issuer_path: str) -> None:
    """Add both documents, also at the paths of RFC 8414, section 3.1, for an issuer with a path."""
    _add_document(app, [OAUTH, OAUTH + issuer_path], document)
    _add_document(app, [OPENID, issuer_path + OPENID], openid_metadata(document))


def _add_document(app: FastAPI, paths: list[str], document: dict[str, Any]) -> None:
    body = msgspec.json.encode(document)
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}

    async def authorization_server_metadata() -> Response:
        """Where the endpoints are and what they support (RFC 8414)."""
        return Response(body, headers=headers, media_type="application/json")

    for path in dict.fromkeys(paths):
        described: Responses = {200: json_response("The metadata.", _METADATA_SCHEMA)}
        app.add_api_route(path, authorization_server_metadata, tags=["metadata"], responses=described)


def add_jwks(app: FastAPI, keys: SigningKeys, max_age_seconds: int, path: str = JWKS) -> None:
    """Add the JWK Set, which clients may cache for `max_age_seconds`."""

    @app.get(path, tags=["metadata"], responses={200: json_response("A JWK Set.", _JWKS_SCHEMA), **error_responses(503)})
    async def jwks() -> Response:
        """The keys that tokens are checked with (RFC 7517)."""
        if not keys.writer():
            return framework_response(_NO_KEY)
        headers = {"Cache-Control": f"public, max-age={max_age_seconds}"}
        return Response(keys.jwks(), headers=headers, media_type="application/json")
