"""GET /metrics: numbers for Prometheus, in its text format."""

from collections.abc import Callable

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from token_service.metrics.exposition import Exposition


def add_metrics(app: FastAPI, exposition: Exposition, tell: Callable[[], None]) -> None:
    """Serve them; `tell` brings this process's own numbers up to date."""

    @app.get("/metrics", tags=["probes"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """What was counted, over all processes of this service."""
        tell()
        return Response(exposition.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
