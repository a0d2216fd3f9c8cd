"""An OpenTelemetry collector that keeps what it is sent: the OTLP/HTTP receiver, and nothing behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """The spans that have come in, and the bodies that they came in."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.bodies: list[bytes] = []

    def spans(self) -> list[tuple[str, Span]]:
        """Each with the name of the program that sent it."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            (str(attributes_of(resource.resource)["service.name"]), span)
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def spans_of(self, trace_id: str) -> list[tuple[str, Span]]:
        """Those of one trace."""
        return [(program, span) for program, span in self.spans() if span.trace_id.hex() == trace_id]


def attributes_of(carrier: Any) -> dict[str, str | int]:
    """The attributes of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in carrier.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that runs."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """To nobody."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        collector = Collector(server.server_port)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
