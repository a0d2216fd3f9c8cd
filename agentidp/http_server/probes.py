"""GET /healthz and /readyz: the probes of the pod.

Healthy is a process whose event loop turns; restarting it would mend nothing else. Ready is one that has what it answers from.
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
    """Serve them; `missing` says in words what is not there yet."""

    @app.get("/healthz", tags=["probes"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def healthz() -> Response:
        """The event loop turns."""
        return Response("ok\n", media_type="text/plain")

    body: dict[str, Any] = {"content": {"application/json": {"schema": _READINESS}}}
    described: dict[int | str, dict[str, Any]] = {
        200: {"description": "It can answer.", **body},
        503: {"description": "Not now.", **body},
    }

    @app.get("/readyz", tags=["probes"], responses=described)
    async def readyz() -> Response:
        """Whether this can answer, and if not, what is missing."""
        what = missing()
        told = msgspec.json.encode({"ready": not what, "missing": what})
        return Response(told, 503 if what else 200, media_type="application/json")
