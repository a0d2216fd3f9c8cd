"""Which object is looked at next, and when: one fair queue of keys and one schedule of due times for all objects.

A key that is woken twice is worked on once; a key is never worked on by two workers at the same time; one that is woken while
it is worked on is worked on again. Namespaces take turns (`agentidp.runtime.pools.fair_queue`), none has all workers, so one
whose objects are all due delays another's by one look; a key that has failed waits in the schedule, not at a worker.

Due times are wall-clock moments, because that is what resources hold: the schedule looks at the clock at least every `TICK`
seconds, so it also notices when the clock was set. Where it was set back, what seemed past may be yet to come, and somebody
is told.
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
from agentidp.domain.resources import NamespacedName
from agentidp.kube.connection import failure_text
from agentidp.kube.errors import ApiError, Conflict, Unreachable
from agentidp.runtime.pools.fair_queue import FairQueue

WORKERS = 32

TICK = 5.0
CLOCK_STEP = timedelta(seconds=1)
"""By so much at least; less is how clocks are kept right."""
SPARE = 50
"""So many moments, and as many again as there are objects, may be in the schedule that nothing is due at any more."""
DONE, RETRIED, FAILED = "done", "retried", "failed"
"""How a look at an object can go."""
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(milliseconds=250), timedelta(minutes=1)

log = structlog.get_logger()


class RequestKind(StrEnum):
    """What kind of object a key names. Of strings, which have an order: keys that are due at the same moment are compared."""

    AGENT = "agent"
    CREDENTIAL = "credential"
    ORGANIZATION = "organization"
    REVOCATION = "token revocation"
    SIGNING_KEYS = "signing keys"


class Request(NamedTuple):
    """One object to reconcile."""

    topic: RequestKind
    name: NamespacedName

    @property
    def group(self) -> str:
        """With whom it shares its turns: a namespace's own objects, or all of a kind that is not a tenant's.

        A name with a slash is no namespace. Agents may name any organization, so organizations have one turn together.
        """
        return self.name.namespace if self.topic in _TENANTS else f"/{self.topic}"


_TENANTS = frozenset({RequestKind.AGENT, RequestKind.CREDENTIAL})

Reconcile = Callable[[NamespacedName], Awaitable[datetime | None]]
"""Brings one object to rest, and tells when it must be looked at again."""

Report = Callable[[RequestKind, str, float], None]
"""Takes what kind of object was looked at, the outcome (`done`, `retried`, `failed`), and the seconds that it took."""


class WorkQueue:
    """The queue, the schedule, and the workers, a quarter of which no namespace can have alone."""

    def __init__(self, workers: int = WORKERS, clock: Callable[[], datetime] = now) -> None:
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

    def wake(self, topic: RequestKind, name: NamespacedName) -> None:
        """Look at this object soon."""
        key = Request(topic, name)
        if key in self._running:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.add(key.group, key)
            self._call_a_worker()

    @property
    def queued(self) -> frozenset[Request]:
        """What waits to be looked at."""
        return frozenset(self._queued)

    @property
    def waiting(self) -> int:
        """How many objects wait to be looked at."""
        return len(self._queued)

    @property
    def scheduled(self) -> int:
        """How many objects have something due later."""
        return len(self._due)

    def stuck_for(self) -> float:
        """For how many seconds the slowest worker has been at one object."""
        started = min(self._running.values(), default=None)
        return time.monotonic() - started if started is not None else 0.0

    async def run(
        self, reconcilers: dict[RequestKind, Reconcile], report: Report, clock_was_set_back: Callable[[], None]
    ) -> None:
        """Work, for ever; every look at an object is reported."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_schedule(clock_was_set_back))
            for _ in range(self._workers):
                tasks.create_task(self._worker(reconcilers, report))

    async def _worker(self, reconcilers: dict[RequestKind, Reconcile], report: Report) -> None:
        while True:
            key = await self._next()
            started = self._running[key] = time.monotonic()
            try:
                outcome, due = await self._reconcile(key, reconcilers[key.topic])
            finally:
                del self._running[key]
                self._ready.done(key.group)
            self._schedule(key, due)
            report(key.topic, outcome, time.monotonic() - started)
            await asyncio.sleep(0)  # a queue full of settled objects must not keep the probes waiting
            if key in self._again:
                self._again.discard(key)
                if outcome == DONE:  # else its back-off stands, or its own writes would wake it without end
                    self.wake(*key)

    async def _next(self) -> Request:
        """The key whose turn it is; waits for one that may be worked on."""
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
        """How it went, and when to look again: as the reconciler says, or after a back-off if it came to no end."""
        try:
            due = await reconcile(key.name)
        except LeftAlone as pause:
            log.info("left alone", topic=key.topic.value, name=str(key.name), why=pause.message)
            return DONE, pause.until
        except (ApiError, TimeoutError) as trouble:
            return RETRIED, self._back_off(key, trouble)
        except Exception as fault:  # one object's fault must not stop the others
            log.exception("reconciliation failed", topic=key.topic.value, name=str(key.name))
            return FAILED, self._back_off(key, fault)
        self._failures.pop(key, None)
        return DONE, due

    def _back_off(self, key: Request, trouble: Exception) -> datetime:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay: timedelta = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, 12))
        expected = isinstance(trouble, Conflict | Unreachable)
        level = log.info if expected and failures < 3 else log.warning  # noqa: PLR2004 twice may be chance
        level("will try again", topic=key.topic.value, name=str(key.name), seconds=delay.total_seconds(), why=_cause(trouble))
        return self._clock() + delay

    def _schedule(self, key: Request, due: datetime | None) -> None:
        if due is None:
            self._due.pop(key, None)
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._due) + SPARE:
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)
        if self._heap[0][1] == key:
            self._earlier.set()

    async def _keep_schedule(self, clock_was_set_back: Callable[[], None]) -> None:
        latest = self._clock()
        while True:
            before, latest = latest, self._clock()
            if latest < before - CLOCK_STEP:
                log.warning("the clock was set back", seconds=(before - latest).total_seconds())
                clock_was_set_back()
            self._wake_due(latest)
            self._earlier.clear()
            wait = (self._heap[0][0] - self._clock()).total_seconds() if self._heap else TICK
            try:
                await asyncio.wait_for(self._earlier.wait(), max(0.0, min(wait, TICK)))
            except TimeoutError:
                continue

    def _wake_due(self, moment: datetime) -> None:
        while self._heap and self._heap[0][0] <= moment:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.wake(*key)


def _cause(error: Exception) -> str:
    """Why a request comes back, in words; those of an unexpected error are in its trace."""
    return failure_text(error) if isinstance(error, ApiError | TimeoutError) else "an unexpected error: please report it"
