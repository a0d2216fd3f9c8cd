"""Metrics of the operator. Label values come from fixed lists, never from resources."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.clock import now
from agent_operator.leadership.leader_election import Leadership
from agent_operator.telemetry.counts import UPCOMING, Counts, count_objects
from agent_operator.work_queue import RequestKind, WorkQueue
from agentidp.domain.lifecycle import OBSTACLES
from agentidp.runtime.metrics import program_registry

_BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

LAG_INTERVAL_SECONDS = 0.05


class LoopLag:
    """The longest delay since the last `take`."""

    def __init__(self) -> None:
        self._worst = 0.0

    def take(self) -> float:
        """Return the longest delay in seconds, and start anew."""
        worst, self._worst = self._worst, 0.0
        return worst

    async def measure(self) -> None:
        """Measure without end: sleep, and compare the time that it took."""
        while True:
            due = time.monotonic() + LAG_INTERVAL_SECONDS
            await asyncio.sleep(LAG_INTERVAL_SECONDS)
            self._worst = max(self._worst, time.monotonic() - due)


class Metrics:
    """Counters that the work queue feeds, and gauges that each scrape reads from the cache."""

    def __init__(self, cache: ClusterCache, work: WorkQueue, leadership: Leadership, lag: LoopLag) -> None:
        self.registry = program_registry()
        self._cache = cache
        self._gauges = _Gauges(cache, work, leadership, lag)
        self.registry.register(self._gauges)
        self._reconciled = Counter(
            "agentidp_operator_reconciliations", "Objects looked at.", ["kind", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "agentidp_operator_reconciliation_duration_seconds",
            "How long one look at an object took, with its writes.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    async def text(self) -> bytes:
        """Return the metrics as text. All credentials are counted first, in several turns of the event loop."""
        self._gauges.counts = await count_objects(self._cache.credentials, now())
        return generate_latest(self.registry)

    def reconciled(self, kind: RequestKind, outcome: str, seconds: float) -> None:
        """Count a reconciliation: `done`, `retried` or `failed`."""
        self._reconciled.labels(kind.value, outcome).inc()
        self._seconds.labels(kind.value).observe(seconds)


class _Gauges(Collector):
    def __init__(self, cache: ClusterCache, work: WorkQueue, leadership: Leadership, lag: LoopLag) -> None:
        self._cache = cache
        self._work = work
        self._leadership = leadership
        self._lag = lag
        self.counts = Counts(now())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge("agentidp_operator_leading", "1 while this process holds the lease.", float(self._leadership.held))
        yield _gauge("agentidp_operator_queue_length", "Objects that wait to be looked at.", self._work.waiting)
        yield _gauge("agentidp_operator_scheduled", "Objects with something due later.", self._work.scheduled)
        yield _gauge("agentidp_operator_slowest_worker_seconds", "The longest look now under way.", self._work.stuck_for())
        yield _gauge(
            "agentidp_operator_loop_lag_seconds", "The event loop's worst delay since the last scrape.", self._lag.take()
        )
        yield _gauge("agentidp_agents", "Agents known.", len(self._cache.agents))
        yield from self._credentials()

    def _credentials(self) -> Iterator[GaugeMetricFamily]:
        counts = self.counts
        standings = GaugeMetricFamily("agentidp_credentials", "Credentials known.", labels=["phase", "reason"])
        for labels, count in counts.standings.items():
            standings.add_metric(labels, count)
        yield standings
        text = "Credentials whose Secret does not hold the pair as declared, by what keeps it from being written."
        yield _by("reason", "agentidp_credentials_undelivered", text, OBSTACLES, counts.undelivered)
        yield _gauge("agentidp_credentials_due_rotations", "Rotations that are due, and not done.", counts.due)
        text = "Rotations that should have been done a minute ago."
        yield _gauge("agentidp_credentials_overdue_rotations", text, counts.overdue)
        text = "Rotations that become due within this time; those of a shorter time are among them."
        yield _by("within", "agentidp_credentials_upcoming_rotations", text, UPCOMING, counts.upcoming)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by(label: str, name: str, text: str, values: Iterable[str], counts: Mapping[str, int]) -> GaugeMetricFamily:
    """Return a family with every value of the label, also zeros: a rise from an absent series is invisible."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in values:
        family.add_metric([value], counts.get(value, 0))
    return family
