"""Spans of requests: what is in them, and what is not."""

import httpx
from fastapi import FastAPI, Response
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from agentidp.http_server.spans import TracedApp

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def span_of(path: str) -> ReadableSpan:
    """The span of a request, which says more than may leave the program."""
    app = FastAPI()
    app.add_api_route("/agents/{agent_id}", lambda: Response(status_code=204))
    app.add_api_route("/broken", lambda: Response(status_code=500))
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "Authorization": "Bearer secret"}
    transport = httpx.ASGITransport(TracedApp(app, provider))
    async with httpx.AsyncClient(transport=transport, base_url="http://idp") as client:
        await client.get(path, headers=headers)
    (span,) = exporter.get_finished_spans()
    return span


async def test_span_has_method_route_and_status_only() -> None:
    """No path, query or header (OpenTelemetry, "Semantic conventions for HTTP spans")."""
    span = await span_of("/agents/7?token=secret")
    assert span.name == "GET /agents/{agent_id}"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/agents/{agent_id}",
        "http.response.status_code": 204,
    }
    assert "secret" not in span.to_json()


async def test_span_belongs_to_the_trace_of_the_client() -> None:
    """W3C Trace Context, section 3.2."""
    span = await span_of("/agents/7")
    assert f"{span.get_span_context().trace_id:032x}" == TRACE
    assert span.parent is not None


async def test_span_of_a_server_error_is_an_error() -> None:
    """A client's error is none of the server's."""
    assert (await span_of("/broken")).status.status_code is StatusCode.ERROR
    assert (await span_of("/unknown")).status.status_code is StatusCode.UNSET
