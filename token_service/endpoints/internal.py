"""GET /internal/usage and GET /internal/applied: what the operator and the management API ask of each replica.

The operator presents a token of this issuer that only the holder of the signing keys can write: no agent has its client id,
which is no UUID. The management API presents a token of its ServiceAccount. The second endpoint waits for the watch, in
bounded time, so that it answers as soon as a change is in effect.
"""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from agentidp.authentication.bearer import bearer_token
from agentidp.domain.identity.propagation import APPLIED_PATH, LONGEST_WAIT
from agentidp.domain.secrets.last_used import OPERATOR, USAGE_PATH, USAGE_SCOPE
from agentidp.domain.tokens.access_tokens import read_token
from agentidp.kube.errors import ApiError
from token_service.authentication.internal_callers import InternalCallers
from token_service.authentication.last_used import LastUsedLog
from token_service.cluster.propagation import Propagation, PropagationQuery
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import json_response

_UNAUTHORIZED = Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
_UNAVAILABLE = Response(status_code=503, headers={"Retry-After": "1"})
_STATE_SCHEMA = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "object", "required": ["serving"]}}


def add_last_used(
    app: FastAPI, last_used: LastUsedLog, keys: SigningKeys, issuer: str, clock: Callable[[], float] = time.time
) -> None:
    """Add `GET /internal/usage`: the last uses of secrets, for the operator alone."""

    @app.get(USAGE_PATH, tags=["internal"], responses={200: json_response("What was used.", {"type": "object"}), 401: {}})
    async def used_secrets(replica: str = "", after: int = 0, authorization: str = Header("")) -> Response:
        """All that was used after what this replica has told already."""
        if not _is_operator(authorization, keys, issuer, clock()):
            return _UNAUTHORIZED
        return Response(msgspec.json.encode(last_used.report(replica, after)), media_type="application/json")


def _is_operator(authorization: str, keys: SigningKeys, issuer: str, now: float) -> bool:
    access_token = read_token(bearer_token(authorization) or "", keys.public_keys(), issuer)
    return (
        access_token is not None
        and now < access_token.expires
        and access_token.client_id == OPERATOR
        and access_token.audience == issuer
        and USAGE_SCOPE in (access_token.scope or "").split()
    )


def add_validation_errors(app: FastAPI) -> None:
    """Let the app answer 422 without the values of the request: one may be a secret in the wrong place."""

    @app.exception_handler(RequestValidationError)
    async def validation_error(_: Request, error: RequestValidationError) -> Response:
        details = [{name: one[name] for name in ("type", "loc", "msg")} for one in error.errors()]
        return Response(msgspec.json.encode({"detail": details}), 422, media_type="application/json")


def add_propagation(app: FastAPI, propagation: Propagation, callers: InternalCallers) -> None:
    """Add `GET /internal/applied`: whether a change of a credential is in effect, for the management API alone."""

    @app.get(
        APPLIED_PATH,
        tags=["internal"],
        responses={
            200: json_response("What this replica has in force: an array of one object.", _STATE_SCHEMA),
            401: {},
            503: {},
        },
    )
    async def applied_changes(
        credential: Annotated[str, Query(max_length=64)],
        version: Annotated[int, Query(ge=0, lt=2**63)],
        seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0.0,
        authorization: str = Header(""),
    ) -> Response:
        """Whether this version of the credentials is in force, and which hashes of this one accept."""
        try:
            if not await callers.is_management_api(authorization):
                return _UNAUTHORIZED
        except ApiError:
            return _UNAVAILABLE
        query = PropagationQuery(credential_id=credential, version=version, seconds=seconds)
        return Response(msgspec.json.encode([await propagation.state(query)]), media_type="application/json")
