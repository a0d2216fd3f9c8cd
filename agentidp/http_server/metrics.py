"""GET /metrics: numbers for Prometheus, in its text format; beside everything else, or apart, on a port of their own.

They tell what answers do not, such as why secrets are refused: so whoever may ask for a token need not read them.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agentidp.http_server.asgi import Endpoint, HeadAsGet, Receive, Scope, Send
from agentidp.runtime.settings import Listen

Text = Callable[[], bytes]

_TOLD: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


def add_metrics(app: FastAPI, text: Text, *, documented: bool = True) -> None:
    """Serve them by this application."""

    @app.get("/metrics", tags=["probes"], response_class=Response, responses=_TOLD, include_in_schema=documented)
    async def metrics() -> Response:
        """What was counted and measured."""
        return Response(text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def metrics_apart(app: Endpoint, text: Text, listen: Listen | None) -> Endpoint:
    """The application, beside one that serves them at this address, if there is one; the server listens there, too."""
    if listen is None:
        return app
    alone = FastAPI(openapi_url=None)
    add_metrics(alone, text)
    return _ByPort(listen.port, HeadAsGet(alone), app)


class _ByPort:
    """An ASGI application: one for requests that came to this port, another for all others."""

    def __init__(self, port: int, there: Endpoint, elsewhere: Endpoint) -> None:
        self._port = port
        self._there = there
        self._elsewhere = elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, port = scope["server"]
        await (self._there if port == self._port else self._elsewhere)(scope, receive, send)
