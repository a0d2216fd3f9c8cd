"""What is counted for Prometheus. Labels are routes and statuses, never ids or callers."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from agentidp.runtime.metrics import program_registry

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


class Metrics:
    """All metrics of the management API."""

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
        """A request was answered; a method that no route has is not one of the known few."""
        shown = method if route != "none" else "any"
        self._requests.labels(shown, route, str(status)).inc()
        self._seconds.labels(shown, route).observe(seconds)

    def watch_failed(self, kind: str) -> None:
        """The API server was away, or refused."""
        self._watch_failures.labels(kind).inc()

    def add_gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A number that is read when somebody asks."""
        Gauge(f"agentidp_management_{name}", text, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return generate_latest(self._registry)
