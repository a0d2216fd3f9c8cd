"""GET /internal/usage: which secrets were used when, for the operator alone.

It shows a token of this issuer that only whoever has the signing keys can make: no agent has its client id, which is no UUID.
"""

import time
from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Header, Response

from agentidp.authentication.bearer import bearer_token
from agentidp.domain.secrets.last_used import OPERATOR, USAGE_PATH, USAGE_SCOPE
from agentidp.domain.tokens.access_tokens import read_token
from token_service.authentication.last_used import LastUsedLog
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import json_response

_REFUSED = Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})


def add_usage(app: FastAPI, usage: LastUsedLog, keys: SigningKeys, issuer: str, clock: Callable[[], float] = time.time) -> None:
    """Serve it."""

    @app.get(USAGE_PATH, tags=["internal"], responses={200: json_response("What was used.", {"type": "object"}), 401: {}})
    async def used_secrets(replica: str = "", after: int = 0, authorization: str = Header("")) -> Response:
        """All that was used after what this replica has told already."""
        if not _is_the_operator(authorization, keys, issuer, clock()):
            return _REFUSED
        return Response(msgspec.json.encode(usage.report(replica, after)), media_type="application/json")


def _is_the_operator(authorization: str, keys: SigningKeys, issuer: str, now: float) -> bool:
    read = read_token(bearer_token(authorization) or "", keys.public_keys(), issuer)
    return (
        read is not None
        and now < read.expires
        and read.client_id == OPERATOR
        and read.audience == issuer
        and USAGE_SCOPE in (read.scope or "").split()
    )
