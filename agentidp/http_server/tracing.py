"""Traces, for whoever names an OpenTelemetry collector; without one nothing of it is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager

from agentidp.http_server.asgi import Endpoint
from agentidp.runtime.settings import Url

PATIENCE_SECONDS = 2


@contextmanager
def traced(app: Endpoint, collector: Url | None, program: str) -> Iterator[Endpoint]:
    """The application; with a collector (its OTLP/HTTP receiver, such as `http://collector:4318`) one that is traced.

    How much is sampled is told by OpenTelemetry's own variables, such as `OTEL_TRACES_SAMPLER`. Requests never wait for the
    collector: what it does not take is dropped.
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
    exporter = OTLPSpanExporter(f"{collector}/v1/traces", timeout=PATIENCE_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield TracedApp(app, provider)
    finally:
        provider.shutdown()
