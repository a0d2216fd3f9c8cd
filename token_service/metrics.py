"""What is counted and measured for Prometheus: every series is known when the program starts, so label sets are bounded.

Counters and histograms are looked up by their label values at the start, so a request costs a microsecond or less here.
"""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from agentidp.domain.assertions import Flaw
from agentidp.domain.oauth_errors import ErrorCode
from agentidp.domain.reasons import Reason
from agentidp.runtime.metrics import program_registry
from token_service.refusals import Refusal, Why

ROUTES = ("token", "introspect", "revoke")
OK, RATE_LIMITED = "ok", "rate_limited"
OUTCOMES = (OK, RATE_LIMITED, *(code.value for code in ErrorCode))
REASONS = sorted({one.value for one in (*Refusal, *Reason, *Flaw)})
KINDS = ("agents", "agentcredentials", "organizations", "tokenrevocations", "secrets")
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class RouteMetrics:
    """The requests of one route."""

    def __init__(self, requests: Counter, seconds: Histogram, route: str) -> None:
        self._requests = {outcome: requests.labels(route, outcome) for outcome in OUTCOMES}
        self._seconds = seconds.labels(route)

    def answered(self, outcome: str, seconds: float) -> None:
        """Count an answered request and the time that it took."""
        self._requests[outcome].inc()
        self._seconds.observe(seconds)


class Metrics:
    """All metrics of the token service."""

    def __init__(self) -> None:
        registry = self._registry = program_registry()
        requests = Counter("agentidp_requests", "Requests by route and outcome.", ["route", "outcome"], registry=registry)
        seconds = Histogram(
            "agentidp_request_duration_seconds", "Time that requests took.", ["route"], registry=registry, buckets=BUCKETS
        )
        self.routes = {route: RouteMetrics(requests, seconds, route) for route in ROUTES}
        text = "Refused client authentications by reason; the caller is not told which."
        refusals = Counter("agentidp_refusals", text, ["reason"], registry=registry)
        self._refusals = {reason: refusals.labels(reason) for reason in REASONS}
        checks = Counter("agentidp_secret_checks", "Secrets checked with bcrypt, by result.", ["result"], registry=registry)
        self._checks = {matches: checks.labels("match" if matches else "mismatch") for matches in (True, False)}
        text = "Clients looked up at the API server because the index did not know them, or not this secret."
        self._look_ups = Counter("agentidp_look_ups", text, registry=registry)
        failures = Counter("agentidp_watch_failures", "Watches and lists that failed, by kind.", ["kind"], registry=registry)
        self._watch_failures = {kind: failures.labels(kind) for kind in KINDS}
        index = Gauge("agentidp_index_objects", "Objects in the index by kind.", ["kind"], registry=registry)
        self._index = {kind: index.labels(kind) for kind in KINDS}

    def refused(self, why: Why) -> None:
        """Count a refused client authentication."""
        self._refusals[why.value].inc()

    def secret_checked(self, matches: bool) -> None:
        """Count a secret that was checked with bcrypt."""
        self._checks[matches].inc()

    def looked_up(self) -> None:
        """Count a client that is looked up at the API server."""
        self._look_ups.inc()

    def watch_failed(self, kind: str) -> None:
        """Count a watch or list that failed."""
        self._watch_failures[kind].inc()

    def measure(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge, `agentidp_` and this name, that is read when somebody asks."""
        Gauge(f"agentidp_{name}", text, registry=self._registry).set_function(read)

    def measure_index(self, kind: str, read: Callable[[], float]) -> None:
        """The number of objects of this kind, read when somebody asks."""
        self._index[kind].set_function(read)

    def text(self) -> bytes:
        """All of them in the Prometheus text format."""
        return generate_latest(self._registry)
