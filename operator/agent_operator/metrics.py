"""What the operator tells Prometheus. Label values come from short lists of our own, never from resources."""

from collections import Counter as Tally
from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent_operator.clock import now
from agent_operator.leader import Leadership
from agent_operator.loop_lag import LoopLag
from agent_operator.work import Topic, Work
from agent_operator.world import World
from agentidp.domain.conditions import READY, condition
from agentidp.domain.resources import AgentCredential, CredentialPhase

OVERDUE_AFTER = timedelta(minutes=1)
_BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters that the work feeds, and gauges that are read off the world when somebody asks."""

    def __init__(self, world: World, work: Work, leadership: Leadership, lag: LoopLag) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Gauges(world, work, leadership, lag))
        self._reconciled = Counter(
            "agentidp_operator_reconciliations", "Objects looked at.", ["kind", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "agentidp_operator_reconciliation_seconds",
            "How long one look at an object took, with its writes.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def reconciled(self, topic: Topic, outcome: str, seconds: float) -> None:
        """One object was looked at: `done`, `retried` or `failed`."""
        self._reconciled.labels(topic.value, outcome).inc()
        self._seconds.labels(topic.value).observe(seconds)


class _Gauges(Collector):
    def __init__(self, world: World, work: Work, leadership: Leadership, lag: LoopLag) -> None:
        self._world = world
        self._work = work
        self._leadership = leadership
        self._lag = lag

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge("agentidp_operator_leading", "1 while this process holds the lease.", float(self._leadership.held))
        yield _gauge("agentidp_operator_queue_length", "Objects that wait to be looked at.", self._work.waiting)
        yield _gauge("agentidp_operator_scheduled", "Objects with something due later.", self._work.scheduled)
        yield _gauge("agentidp_operator_slowest_worker_seconds", "The longest look now under way.", self._work.stuck_for())
        yield _gauge(
            "agentidp_operator_loop_lag_seconds", "The event loop's worst delay since the last scrape.", self._lag.take()
        )
        yield _gauge("agentidp_agents", "Agents known.", len(self._world.agents))
        yield from self._credentials()

    def _credentials(self) -> Iterator[GaugeMetricFamily]:
        credentials = list(self._world.credentials)
        tally = Tally((_phase(one), _reason(one)) for one in credentials)
        family = GaugeMetricFamily("agentidp_credentials", "Credentials known.", labels=["phase", "reason"])
        for (phase, reason), count in tally.items():
            family.add_metric([phase, reason], count)
        yield family
        overdue = sum(1 for one in credentials if _is_overdue(one))
        yield _gauge("agentidp_credentials_overdue_rotations", "Rotations that should have been done a minute ago.", overdue)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _phase(credential: AgentCredential) -> str:
    return (credential.status.phase or CredentialPhase.PENDING).value


def _reason(credential: AgentCredential) -> str:
    ready = condition(credential.status.conditions, READY)
    return ready.reason if ready else ""


def _is_overdue(credential: AgentCredential) -> bool:
    due = credential.status.next_rotation_at
    return credential.status.phase is CredentialPhase.ACTIVE and due is not None and due + OVERDUE_AFTER < now()
