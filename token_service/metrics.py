"""Metrics for Prometheus: every series exists from the start of the program, so label sets are bounded.

Each request adds to plain numbers, because the library's locks cost three times as much. The library counts rare events.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.client_assertions import AssertionFailure
from agentidp.domain.tokens.oauth_errors import ErrorCode
from agentidp.runtime.metrics import program_registry
from token_service.authentication.result import AuthenticationFailure, FailureReason

ROUTES = ("token", "introspect", "revoke")
OK, RATE_LIMITED = "ok", "rate_limited"
OUTCOMES = (OK, RATE_LIMITED, *(code.value for code in ErrorCode))
REASONS = sorted({reason.value for reason in (*AuthenticationFailure, *Reason, *AssertionFailure)})
KINDS = ("agents", "agentcredentials", "organizations", "tokenrevocations", "secrets")
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class RouteMetrics:
    """Requests of one route, counted in plain numbers that are collected when Prometheus asks."""

    def __init__(self, route: str) -> None:
        self.route = route
        self.requests = dict.fromkeys(OUTCOMES, 0)
        self.seconds = 0.0
        self._slots = [0] * (len(BUCKETS) + 1)
        """Requests that took at most the bound of the same index, and longer than the bound before."""

    def answered(self, outcome: str, seconds: float) -> None:
        """Count an answered request and the time that it took."""
        self.requests[outcome] += 1
        self._slots[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """The cumulative counts, each with its upper bound as Prometheus writes it."""
        return list(zip([*map(str, BUCKETS), "+Inf"], accumulate(self._slots), strict=True))


class RequestCollector(Collector):
    """Collects the numbers of all routes for a registry."""

    def __init__(self, routes: Iterable[RouteMetrics]) -> None:
        self._routes = tuple(routes)

    def collect(self) -> Iterator[Metric]:
        """Return a counter and a histogram."""
        requests = CounterMetricFamily("agentidp_requests", "Requests by route and outcome.", labels=["route", "outcome"])
        text = "Time that requests took."
        seconds = HistogramMetricFamily("agentidp_request_duration_seconds", text, labels=["route"])
        for route in self._routes:
            for outcome, count in route.requests.items():
                requests.add_metric([route.route, outcome], count)
            seconds.add_metric([route.route], route.buckets(), route.seconds)
        yield requests
        yield seconds


class Metrics:
    """All metrics of the token service."""

    def __init__(self) -> None:
        registry = self._registry = program_registry()
        self.routes = {route: RouteMetrics(route) for route in ROUTES}
        registry.register(RequestCollector(self.routes.values()))
        text = "Refused client authentications by reason; the caller is not told which."
        refusals = Counter("agentidp_refusals", text, ["reason"], registry=registry)
        self._failures = {reason: refusals.labels(reason) for reason in REASONS}
        checks = Counter("agentidp_secret_checks", "Secrets checked with bcrypt, by result.", ["result"], registry=registry)
        self._checks = {matches: checks.labels("match" if matches else "mismatch") for matches in (True, False)}
        text = "Clients looked up at the API server because the index did not know them, or not this secret."
        self._look_ups = Counter("agentidp_look_ups", text, registry=registry)
        text = "Token requests that were refused because the organization had had its tokens of the day."
        self._daily_limit = Counter("agentidp_daily_limit_refusals", text, registry=registry)
        failures = Counter("agentidp_watch_failures", "Watches and lists that failed, by kind.", ["kind"], registry=registry)
        self._watch_failures = {kind: failures.labels(kind) for kind in KINDS}
        index = Gauge("agentidp_index_objects", "Objects in the index by kind.", ["kind"], registry=registry)
        self._index = {kind: index.labels(kind) for kind in KINDS}

    def authentication_failed(self, reason: FailureReason) -> None:
        """Count a failed client authentication."""
        self._failures[reason.value].inc()

    def secret_checked(self, matches: bool) -> None:
        """Count a secret that was checked with bcrypt."""
        self._checks[matches].inc()

    def looked_up(self) -> None:
        """Count a client that is looked up at the API server."""
        self._look_ups.inc()

    def daily_limit_reached(self) -> None:
        """Count a token that an organization may not have today."""
        self._daily_limit.inc()

    def watch_failed(self, kind: str) -> None:
        """Count a watch or list that failed."""
        self._watch_failures[kind].inc()

    def measure(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge, `agentidp_` and this name, that is read whenever Prometheus asks."""
        Gauge(f"agentidp_{name}", text, registry=self._registry).set_function(read)

    def measure_index(self, kind: str, read: Callable[[], float]) -> None:
        """Read the number of objects of this kind whenever Prometheus asks."""
        self._index[kind].set_function(read)

    def text(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)
