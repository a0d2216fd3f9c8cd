"""GET /metrics: numbers for Prometheus, in its text format."""

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from token_service.metrics.meters import Exposition


def add_metrics(app: FastAPI, exposition: Exposition) -> None:
    """Serve them."""

    @app.get("/metrics", tags=["probes"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """What was counted, over all processes of this service."""
        return Response(exposition.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
