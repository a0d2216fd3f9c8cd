"""The queue and its schedule: who is looked at, how often, and what happens when it goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from agent_operator.clock import now
from agent_operator.limits import LIMITS, Limits
from agent_operator.work_queue import DONE, FAILED, RETRIED, Reconcile, RequestKind, WorkQueue
from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import Forbidden

NAME = NamespacedName("team", "screener")
REPORTS = list[tuple[RequestKind, str]]


@asynccontextmanager
async def working(work: WorkQueue, reconcile: Reconcile, set_back: Callable[[], None] = lambda: None) -> AsyncIterator[REPORTS]:
    """The workers run while the block does; what they report is collected."""
    reports: REPORTS = []
    reconcilers = dict.fromkeys(RequestKind, reconcile)
    task = asyncio.create_task(work.run(reconcilers, lambda kind, how, _: reports.append((kind, how)), set_back))
    try:
        yield reports
    finally:
        task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it, with a deadline."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 what is waited for is seen from outside
            await asyncio.sleep(0.005)


async def test_a_key_that_is_woken_often_is_looked_at_once() -> None:
    """As long as nobody has begun to look at it."""
    work = WorkQueue()
    for _ in range(10):
        work.enqueue(RequestKind.CREDENTIAL, NAME)
    async with working(work, _at_rest) as reports:
        await until(lambda: bool(reports))
        await asyncio.sleep(0.05)
    assert reports == [(RequestKind.CREDENTIAL, DONE)]


async def test_a_key_is_never_looked_at_by_two_workers_and_once_more_if_it_was_woken_meanwhile() -> None:
    """However many workers there are."""
    work, inside, most = WorkQueue(), 0, 0

    async def reconcile(_: NamespacedName) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.02)
        inside -= 1

    work.enqueue(RequestKind.CREDENTIAL, NAME)
    async with working(work, reconcile) as reports:
        await until(lambda: inside == 1)
        for _ in range(5):
            work.enqueue(RequestKind.CREDENTIAL, NAME)
        await until(lambda: len(reports) == 2)
        await asyncio.sleep(0.05)
    assert (most, len(reports)) == (1, 2)


async def test_a_due_time_brings_a_key_back() -> None:
    """Not before it."""
    work = WorkQueue()
    looks: list[datetime] = []
    due = now() + timedelta(milliseconds=120)

    async def reconcile(_: NamespacedName) -> datetime | None:
        looks.append(now())
        return due if len(looks) == 1 else None

    work.enqueue(RequestKind.CREDENTIAL, NAME)
    async with working(work, reconcile):
        await until(lambda: len(looks) == 2)
    assert looks[1] >= due
    assert work.scheduled == 0


@pytest.mark.parametrize(
    ("error", "outcome"),
    {
        "what the API server refuses": (Forbidden(403, "Forbidden", "no"), RETRIED),
        "a defect of ours": (KeyError("defect"), FAILED),
    }.values(),
)
async def test_trouble_with_one_object_backs_off_and_harms_no_other(error: Exception, outcome: str) -> None:
    """It is tried again, later each time, and the others are served."""
    work, other = WorkQueue(), NamespacedName("team", "other")

    async def reconcile(name: NamespacedName) -> None:
        if name == NAME:
            raise error

    work.enqueue(RequestKind.CREDENTIAL, NAME)
    async with working(work, reconcile) as reports:
        await until(lambda: (RequestKind.CREDENTIAL, outcome) in reports)
        work.enqueue(RequestKind.CREDENTIAL, other)
        await until(lambda: (RequestKind.CREDENTIAL, DONE) in reports)
    assert work.scheduled == 1


async def test_an_object_whose_own_failing_writes_wake_it_still_backs_off() -> None:
    """Recording a refusal changes the object; that must not make a hot loop of it."""
    work = WorkQueue()

    async def reconcile(name: NamespacedName) -> None:
        work.enqueue(RequestKind.CREDENTIAL, name)  # as the answer to a status write does
        raise Forbidden(403, "Forbidden", "no")

    work.enqueue(RequestKind.CREDENTIAL, NAME)
    async with working(work, reconcile) as reports:
        await asyncio.sleep(1)
    assert 1 < len(reports) < 6


@pytest.mark.parametrize(
    ("jump", "told"), [(timedelta(hours=-1), 1), (timedelta(milliseconds=-10), 0), (timedelta(hours=1), 0)]
)
async def test_a_clock_that_is_set_back_is_noticed(jump: timedelta, told: int) -> None:
    """Once; neither one that is kept right nor one that is set forward."""
    jumped, calls = timedelta(), 0

    def set_back() -> None:
        nonlocal calls
        calls += 1

    async with working(WorkQueue(clock=lambda: now() + jumped, limits=Limits(tick_seconds=0.01)), _at_rest, set_back):
        await asyncio.sleep(0.05)
        jumped = jump
        await asyncio.sleep(0.1)
    assert calls == told


async def test_an_object_that_is_stuck_is_noticed() -> None:
    """By how long its worker has been at it."""
    work, released = WorkQueue(), asyncio.Event()

    async def reconcile(_: NamespacedName) -> None:
        await released.wait()

    assert work.stuck_for() == 0
    work.enqueue(RequestKind.AGENT, NAME)
    async with working(work, reconcile) as reports:
        await until(lambda: work.stuck_for() > 0.05)
        released.set()
        await until(lambda: bool(reports))
    assert work.stuck_for() == 0


async def _at_rest(_: NamespacedName) -> None:
    """Nothing to do."""


async def test_objects_of_all_kinds_may_be_due_at_the_same_moment() -> None:
    """As what people declare may be: a credential and a token that expire together, under whatever names."""
    work, moment, looks = WorkQueue(), now() + timedelta(milliseconds=50), []

    async def reconcile(name: NamespacedName) -> datetime | None:
        looks.append(name)
        return moment if now() < moment else None

    names = (NAME, NamespacedName("", "screener"))
    for kind in RequestKind:
        for name in names:
            work.enqueue(kind, name)
    async with working(work, reconcile):
        await until(lambda: len(looks) >= 2 * len(RequestKind) * len(names))


async def test_work_queue_keeps_a_bounded_schedule_of_objects_that_are_reconciled_early() -> None:
    """Credentials in use are reconciled before they are due, whenever a use is reported."""
    work, looks = WorkQueue(), 0
    names = [NamespacedName("team", f"screener-{number}") for number in range(10)]

    async def reconcile(_: NamespacedName) -> datetime | None:
        nonlocal looks
        looks += 1
        return now() + timedelta(days=30 + looks % 2)

    async with working(work, reconcile):
        for _ in range(100):
            before = looks
            for name in names:
                work.enqueue(RequestKind.CREDENTIAL, name)
            await until(lambda: looks == before + len(names))  # noqa: B023 it has come to its end when `before` changes
    assert work.scheduled == len(names)
    assert work.schedule_entries <= 2 * len(names) + LIMITS.schedule_slack
