"""GET /.well-known/oauth-authorization-server and /.well-known/openid-configuration: what there is here, RFC 8414, section 3.

Both say the same; it follows from the issuer alone, and only what exists is listed. This is no OpenID provider: the second
name is where many libraries look first.
"""

from typing import Any

import msgspec
from fastapi import FastAPI, Response

from agentidp.domain.assertions import ALGORITHMS
from token_service.endpoints import jwks
from token_service.endpoints.documentation import Responses, json_response

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
MAX_AGE_SECONDS = 300
AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]

_SCHEMA = {"type": "object", "required": ["issuer", "response_types_supported"]}


def metadata(issuer: str, endpoints: dict[str, str]) -> dict[str, Any]:
    """The document; `endpoints` are paths by the names that the standard gives them, such as `token_endpoint`."""
    document: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": issuer + jwks.PATH,
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
    }
    for name, path in endpoints.items():
        document[name] = issuer + path
        document[f"{name}_auth_methods_supported"] = AUTH_METHODS
        document[f"{name}_auth_signing_alg_values_supported"] = ALGORITHMS
    return document


def add_metadata(app: FastAPI, document: dict[str, Any], issuer_path: str) -> None:
    """Serve it, also where section 3.1 wants it for an issuer with a path."""
    body = msgspec.json.encode(document)
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}

    async def authorization_server_metadata() -> Response:
        """Where the endpoints are and what they support (RFC 8414)."""
        return Response(body, headers=headers, media_type="application/json")

    for path in dict.fromkeys([OAUTH, OPENID, OAUTH + issuer_path, issuer_path + OPENID]):
        described: Responses = {200: json_response("The metadata.", _SCHEMA)}
        app.add_api_route(path, authorization_server_metadata, tags=["metadata"], responses=described)
