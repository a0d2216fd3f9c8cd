"""GET /healthz and /readyz: the probes of the pod.

Healthy is a process whose event loop turns; restarting it would mend nothing else. Ready is one that can issue tokens.
"""

from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Response

from token_service.endpoints.documentation import Responses, json_response

_READINESS = {
    "type": "object",
    "required": ["ready", "missing"],
    "properties": {"ready": {"type": "boolean"}, "missing": {"type": "array", "items": {"type": "string"}}},
}


def add_probes(app: FastAPI, missing: Callable[[], list[str]]) -> None:
    """Serve them; `missing` says in words what is not there yet."""

    @app.get("/healthz", tags=["probes"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def healthz() -> Response:
        """The event loop turns."""
        return Response("ok\n", media_type="text/plain")

    described: Responses = {200: json_response("Tokens can be issued.", _READINESS), 503: json_response("Not now.", _READINESS)}

    @app.get("/readyz", tags=["probes"], responses=described)
    async def readyz() -> Response:
        """Whether tokens can be issued, and if not, what is missing."""
        what = missing()
        body = msgspec.json.encode({"ready": not what, "missing": what})
        return Response(body, 503 if what else 200, media_type="application/json")
