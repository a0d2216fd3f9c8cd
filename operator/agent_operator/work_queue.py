"""Work queue: one fair queue of requests, and one schedule of due times, for all objects.

Flows in: requests (kind and name), which the cluster cache enqueues on every change, and the times at which reconcilers want an
object again (due times). Flows out: calls of the reconcilers. As with client-go's workqueue:

- A request that is enqueued twice is reconciled once.
- Two workers never reconcile the same request at the same time.
- A request that is enqueued while it is reconciled is reconciled again; unlike there, not if the reconciliation failed: its
  back-off stands.
- A request that failed waits in the schedule for an exponential back-off, not at a worker.

Namespaces take turns (`agentidp.runtime.pools.fair_queue`) and none has all workers, so a namespace delays another by one
reconciliation (decision 35). Bounded: each object has one request and one due time. Due times are wall-clock timestamps, as
resources have them; the schedule reads the clock at least every `Limits.tick_seconds`, so it notices a clock that was set.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import structlog

from agent_operator.clock import now
from agent_operator.leadership.status_backoff import LeftAlone
from agent_operator.limits import LIMITS, Limits
from agentidp.domain.resources import NamespacedName
from agentidp.kube.connection import failure_text
from agentidp.kube.errors import ApiError, Conflict, Unreachable
from agentidp.runtime.pools.fair_queue import FairQueue

WORKERS = 32

CLOCK_STEP = timedelta(seconds=1)
"""The smallest step back that counts; NTP corrects less than this."""
DONE, RETRIED, FAILED = "done", "retried", "failed"
"""The outcomes of a reconciliation."""

log = structlog.get_logger()


class RequestKind(StrEnum):
    """The kind of a request's object. Strings, because the heap compares requests with equal due times."""

    AGENT = "agent"
    CREDENTIAL = "credential"
    ORGANIZATION = "organization"
    REVOCATION = "token revocation"
    SIGNING_KEYS = "signing keys"


class Request(NamedTuple):
    """The kind and name of one object to reconcile."""

    kind: RequestKind
    name: NamespacedName

    @property
    def group(self) -> str:
        """The group that takes turns: a namespace, or a kind that is not a tenant's.

        A name with a slash is no namespace. Agents may name any organization, so all organizations are one group.
        """
        return self.name.namespace if self.kind in _TENANTS else f"/{self.kind}"


_TENANTS = frozenset({RequestKind.AGENT, RequestKind.CREDENTIAL})

Reconcile = Callable[[NamespacedName], Awaitable[datetime | None]]
"""Reconciles one object, and returns when it is due again."""

Report = Callable[[RequestKind, str, float], None]
"""Takes the kind, the outcome (`done`, `retried`, `failed`) and the duration in seconds."""


class WorkQueue:
    """The queue, the schedule and the workers; a namespace has at most three quarters of the workers."""

    def __init__(self, workers: int = WORKERS, clock: Callable[[], datetime] = now, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._workers = workers
        self._clock = clock
        self._ready: FairQueue[Request] = FairQueue(max(1, workers - max(1, workers // 4)))
        self._queued: set[Request] = set()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._running: dict[Request, float] = {}
        self._again: set[Request] = set()
        self._due: dict[Request, datetime] = {}
        self._heap: list[tuple[datetime, Request]] = []
        self._earlier = asyncio.Event()
        self._failures: dict[Request, int] = {}

    def enqueue(self, kind: RequestKind, name: NamespacedName) -> None:
        """Reconcile this object as soon as its group has a turn."""
        key = Request(kind, name)
        if key in self._running:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.add(key.group, key)
            self._call_a_worker()

    @property
    def queued(self) -> frozenset[Request]:
        """The requests that wait for a worker."""
        return frozenset(self._queued)

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return len(self._queued)

    @property
    def scheduled(self) -> int:
        """How many objects have a due time."""
        return len(self._due)

    @property
    def schedule_entries(self) -> int:
        """The entries of the schedule, with those that a later due time has replaced."""
        return len(self._heap)

    def stuck_for(self) -> float:
        """Return how many seconds the longest reconciliation under way has taken."""
        started = min(self._running.values(), default=None)
        return time.monotonic() - started if started is not None else 0.0

    async def run(
        self, reconcilers: dict[RequestKind, Reconcile], report: Report, on_clock_set_back: Callable[[], None]
    ) -> None:
        """Run the workers and the schedule without end; `report` gets every outcome."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_schedule(on_clock_set_back))
            for _ in range(self._workers):
                tasks.create_task(self._worker(reconcilers, report))

    async def _worker(self, reconcilers: dict[RequestKind, Reconcile], report: Report) -> None:
        while True:
            key = await self._next()
            started = self._running[key] = time.monotonic()
            try:
                outcome, due = await self._reconcile(key, reconcilers[key.kind])
            finally:
                del self._running[key]
                self._ready.done(key.group)
            self._schedule(key, due)
            report(key.kind, outcome, time.monotonic() - started)
            await asyncio.sleep(0)  # a queue full of settled objects must not keep the probes waiting
            if key in self._again:
                self._again.discard(key)
                if outcome == DONE:  # otherwise its back-off stands: its own writes would enqueue it without end
                    self.enqueue(*key)

    async def _next(self) -> Request:
        """Return the next request; wait until one may be reconciled."""
        while (key := self._ready.take()) is None:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(called)
            await called
        self._queued.discard(key)
        return key

    def _call_a_worker(self) -> None:
        while self._idle:
            called = self._idle.popleft()
            if not called.done():
                called.set_result(None)
                return

    async def _reconcile(self, key: Request, reconcile: Reconcile) -> tuple[str, datetime | None]:
        """Return the outcome, and the due time: the reconciler's, or the end of a back-off."""
        try:
            due = await reconcile(key.name)
        except LeftAlone as pause:
            log.info("left alone", topic=key.kind.value, name=str(key.name), why=pause.message)
            return DONE, pause.until
        except (ApiError, TimeoutError) as error:
            return RETRIED, self._back_off(key, error)
        except Exception as fault:  # one object's fault must not stop the others
            log.exception("reconciliation failed", topic=key.kind.value, name=str(key.name))
            return FAILED, self._back_off(key, fault)
        self._failures.pop(key, None)
        return DONE, due

    def _back_off(self, key: Request, error: Exception) -> datetime:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay: timedelta = min(self._limits.max_backoff, self._limits.first_backoff * 2 ** min(failures - 1, 12))
        expected = isinstance(error, Conflict | Unreachable)
        level = log.info if expected and failures < 3 else log.warning  # noqa: PLR2004 twice may be chance
        level("will try again", topic=key.kind.value, name=str(key.name), seconds=delay.total_seconds(), why=_cause(error))
        return self._clock() + delay

    def _schedule(self, key: Request, due: datetime | None) -> None:
        if due is None:
            self._due.pop(key, None)
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._due) + self._limits.schedule_slack:
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)
        if self._heap[0][1] == key:
            self._earlier.set()

    async def _keep_schedule(self, on_clock_set_back: Callable[[], None]) -> None:
        latest, tick = self._clock(), self._limits.tick_seconds
        while True:
            before, latest = latest, self._clock()
            if latest < before - CLOCK_STEP:
                log.warning("the clock was set back", seconds=(before - latest).total_seconds())
                on_clock_set_back()
            self._enqueue_due(latest)
            self._earlier.clear()
            wait = (self._heap[0][0] - self._clock()).total_seconds() if self._heap else tick
            try:
                await asyncio.wait_for(self._earlier.wait(), max(0.0, min(wait, tick)))
            except TimeoutError:
                continue

    def _enqueue_due(self, timestamp: datetime) -> None:
        while self._heap and self._heap[0][0] <= timestamp:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.enqueue(*key)


def _cause(error: Exception) -> str:
    """Why a request comes back, in words; those of an unexpected error are in its trace."""
    return failure_text(error) if isinstance(error, ApiError | TimeoutError) else "an unexpected error: please report it"
