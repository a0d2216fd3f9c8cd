"""GET /internal/applied: whether a change of a credential is in force in this replica, for the management API alone.

It waits for the watch, in bounded time, so that the answer is a yes as soon as there is one.
"""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Header, Query, Response

from agentidp.domain.identity.propagation import APPLIED_PATH, LONGEST_WAIT
from agentidp.kube.errors import ApiError
from token_service.authentication.internal_callers import InternalCallers
from token_service.cluster.propagation import Propagation, Question
from token_service.endpoints.openapi import json_response

_REFUSED = Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
_NOT_KNOWN = Response(status_code=503, headers={"Retry-After": "1"})
_TOLD = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "object", "required": ["serving"]}}


def add_applied(app: FastAPI, applied: Propagation, caller: InternalCallers) -> None:
    """Serve it."""

    @app.get(
        APPLIED_PATH,
        tags=["internal"],
        responses={200: json_response("What this replica has in force: an array of one object.", _TOLD), 401: {}, 503: {}},
    )
    async def applied_changes(
        credential: Annotated[str, Query(max_length=64)],
        version: Annotated[int, Query(ge=0, lt=2**63)],
        seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0.0,
        authorization: str = Header(""),
    ) -> Response:
        """Whether this version of the credentials is in force, and which hashes of this one accept."""
        question = Question(credential_id=credential, version=version, seconds=seconds)
        try:
            if not await caller.has_shown(authorization):
                return _REFUSED
        except ApiError:
            return _NOT_KNOWN
        told = await applied.tell(question)
        return Response(msgspec.json.encode([told]), media_type="application/json")
