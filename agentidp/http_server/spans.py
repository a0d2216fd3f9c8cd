"""Spans of HTTP requests, with the names of OpenTelemetry's semantic conventions for HTTP servers.

A span has method, route and status, and of what the client sent only the trace it belongs to (W3C Trace Context). Paths,
queries and headers may hold secrets. OpenTelemetry is imported here, so `tracing` imports this module only where traces are
wanted.
"""

from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

from agentidp.http_server.asgi import Endpoint, Message, Receive, Scope, Send

TRACE_CONTEXT = (b"traceparent", b"tracestate")
SERVER_ERROR = 500


class TracedApp:
    """An ASGI application with a span around each of its requests."""

    def __init__(self, app: Endpoint, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer("agentidp")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside a span."""
        parent = extract({name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in TRACE_CONTEXT})
        method = scope["method"]
        attributes = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with self._tracer.start_as_current_span(
            method, parent, SpanKind.SERVER, attributes, record_exception=False, set_status_on_exception=False
        ) as span:

            async def send_with_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= SERVER_ERROR:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await self._app(scope, receive, send_with_status)
            if "route" in scope:
                route = scope["route"].path
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
