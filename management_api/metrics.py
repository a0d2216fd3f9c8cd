"""Metrics for Prometheus. Labels are methods, routes, statuses and kinds, never ids or callers."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from agentidp.runtime.metrics import program_registry

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


class Metrics:
    """The metrics of the management API, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = program_registry()
        labels = ["method", "route"]
        self._requests = Counter(
            "agentidp_management_requests", "Requests by route and status.", [*labels, "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "agentidp_management_request_duration_seconds",
            "Time that requests took.",
            labels,
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._watch_failures = Counter(
            "agentidp_management_watch_failures", "Watches and lists that failed, by kind.", ["kind"], registry=self._registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered. Without a route, the method is `any`: a client may invent methods."""
        label = method if route != "none" else "any"
        self._requests.labels(label, route, str(status)).inc()
        self._seconds.labels(label, route).observe(seconds)

    def watch_failed(self, kind: str) -> None:
        """Count a list or watch that failed."""
        self._watch_failures.labels(kind).inc()

    def add_gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read at each scrape."""
        Gauge(f"agentidp_management_{name}", text, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)
