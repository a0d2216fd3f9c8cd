"""GET /metrics: metrics in the text format of Prometheus, among the other routes or on a port of their own.

Metrics say more than answers, such as the reasons of refusals. On a port of their own, clients of the service cannot read them.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agentidp.http_server.asgi import Endpoint, HeadAsGet, Receive, Scope, Send
from agentidp.runtime.settings import Listen

Text = Callable[[], bytes]

_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


def add_metrics(app: FastAPI, text: Text, *, documented: bool = True) -> None:
    """Add the route to this application; `text` gives the metrics."""

    @app.get("/metrics", tags=["probes"], response_class=Response, responses=_RESPONSES, include_in_schema=documented)
    async def metrics() -> Response:
        """Counters and measurements of this process."""
        return Response(text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def metrics_apart(app: Endpoint, text: Text, listen: Listen | None) -> Endpoint:
    """The application, with an application for the metrics where they have an address, on which the server listens, too."""
    if listen is None:
        return app
    metrics_app = FastAPI(openapi_url=None)
    add_metrics(metrics_app, text)
    return _PortSwitch(listen.port, HeadAsGet(metrics_app), app)


class _PortSwitch:
    """An ASGI application that passes requests of one port to an application of its own, and all others to another one."""

    def __init__(self, port: int, app: Endpoint, other_app: Endpoint) -> None:
        self._port = port
        self._app = app
        self._other_app = other_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, port = scope["server"]
        await (self._app if port == self._port else self._other_app)(scope, receive, send)
