"""Traces, sent to an OpenTelemetry collector. Without one OpenTelemetry is not imported, which takes a second."""

from collections.abc import Iterator
from contextlib import contextmanager

from agentidp.http_server.asgi import Endpoint
from agentidp.runtime.settings import Url

EXPORT_TIMEOUT_SECONDS = 2


@contextmanager
def traced(app: Endpoint, collector: Url | None, program: str) -> Iterator[Endpoint]:
    """The application, traced where there is a collector (an OTLP/HTTP receiver, such as `http://collector:4318`).

    OpenTelemetry's own variables, such as `OTEL_TRACES_SAMPLER`, say how much is sampled. Requests never wait for the
    collector: spans that it does not take are dropped.
    """
    if collector is None:
        yield app
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 takes a while
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from agentidp.http_server.spans import TracedApp  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: program}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{collector}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield TracedApp(app, provider)
    finally:
        provider.shutdown()
