"""GET /.well-known/oauth-authorization-server and /.well-known/openid-configuration: what there is here, RFC 8414, section 3.

It follows from the issuer alone, and only what exists is listed. This is no OpenID provider, but the second name is where many
libraries look first. Some of them refuse a document without the members that OpenID Connect Discovery 1.0 requires
(section 3), so it has those of them that are true here: decision 39.
"""

from typing import Any

import msgspec
from fastapi import FastAPI, Response

from agentidp.domain.tokens.client_assertions import ALGORITHMS
from agentidp.domain.tokens.signing_keys import Algorithm
from token_service.endpoints import jwks
from token_service.endpoints.openapi import Responses, json_response

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


def openid_metadata(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what OpenID Connect Discovery requires beyond RFC 8414 and is true here.

    `sub` is the same for every client ("public"). No ID token is issued; the algorithms are those of the access tokens, which
    is what libraries take them for that verify tokens by this document. There is no `authorization_endpoint`.
    """
    return document | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm.value for algorithm in Algorithm],
    }


def add_metadata(app: FastAPI, document: dict[str, Any], issuer_path: str) -> None:
    """Serve both, also where section 3.1 wants them for an issuer with a path."""
    _add(app, [OAUTH, OAUTH + issuer_path], document)
    _add(app, [OPENID, issuer_path + OPENID], openid_metadata(document))


def _add(app: FastAPI, paths: list[str], document: dict[str, Any]) -> None:
    body = msgspec.json.encode(document)
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}

    async def authorization_server_metadata() -> Response:
        """Where the endpoints are and what they support (RFC 8414)."""
        return Response(body, headers=headers, media_type="application/json")

    for path in dict.fromkeys(paths):
        described: Responses = {200: json_response("The metadata.", _SCHEMA)}
        app.add_api_route(path, authorization_server_metadata, tags=["metadata"], responses=described)
