"""GET /healthz and GET /readyz: the liveness and readiness probes of the pod.

A process is healthy while its event loop runs, because a restart repairs nothing else. It is ready while nothing is missing
that its answers need.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Response

_READINESS = {
    "type": "object",
    "required": ["ready", "missing"],
    "properties": {"ready": {"type": "boolean"}, "missing": {"type": "array", "items": {"type": "string"}}},
}


def add_probes(app: FastAPI, missing: Callable[[], list[str]]) -> None:
    """Add the routes to this application; `missing` names what is not there yet."""

    @app.get("/healthz", tags=["probes"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def healthz() -> Response:
        """The event loop of this process runs."""
        return Response("ok\n", media_type="text/plain")

    body: dict[str, Any] = {"content": {"application/json": {"schema": _READINESS}}}
    described: dict[int | str, dict[str, Any]] = {
        200: {"description": "It can answer.", **body},
        503: {"description": "Not now.", **body},
    }

    @app.get("/readyz", tags=["probes"], responses=described)
    async def readyz() -> Response:
        """Whether this process can answer, and if not, what is missing."""
        parts = missing()
        content = msgspec.json.encode({"ready": not parts, "missing": parts})
        return Response(content, 503 if parts else 200, media_type="application/json")
