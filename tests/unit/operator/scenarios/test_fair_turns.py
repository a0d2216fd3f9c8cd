"""Namespaces take turns at the operator: whatever one has enqueued, another's object is looked at next. Orders, not times."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_operator.clock import now
from agent_operator.work_queue import Request, RequestKind, WorkQueue
from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import Unreachable
from agentidp.runtime.pools.fair_lock import FairLock
from agentidp.runtime.pools.secret_generator import SecretGenerator

WORKERS = 8
MANY = 1_450
"""As many credentials as rotate every minute and take all that one core can hash."""
OTHER = Request(RequestKind.CREDENTIAL, NamespacedName("other", "one"))
SOONER = Request(RequestKind.CREDENTIAL, NamespacedName("sooner", "one"))


class Looks:
    """Reconciles by waiting until it is told to go on; keeps the order in which keys were begun."""

    def __init__(self, work: WorkQueue) -> None:
        self.work = work
        self.begun: list[NamespacedName] = []
        self.under_way: dict[NamespacedName, asyncio.Future[datetime | None]] = {}
        self.most: Counter[str] = Counter()

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """As a reconciler; a key is never worked on twice at once."""
        assert name not in self.under_way
        self.begun.append(name)
        going_on = self.under_way[name] = asyncio.get_running_loop().create_future()
        running = Counter(one.namespace for one in self.under_way)
        self.most |= running
        try:
            return await going_on
        finally:
            del self.under_way[name]

    async def finish_one(self) -> None:
        """The one that was begun first comes to its end."""
        next(iter(self.under_way.values())).set_result(None)
        await settled()

    async def finish_all(self) -> None:
        """Until nothing is left."""
        while self.under_way:
            await self.finish_one()


async def settled() -> None:
    """Everything that can happen without anything from outside has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def looking(workers: int = WORKERS, clock: Callable[[], datetime] = now) -> AsyncIterator[Looks]:
    """Workers run while the block does."""
    work = WorkQueue(workers, clock)
    looks = Looks(work)
    task = asyncio.create_task(work.run(dict.fromkeys(RequestKind, looks.reconcile), lambda *_: None, lambda: None))
    try:
        await settled()
        yield looks
    finally:
        task.cancel()


def enqueue(work: WorkQueue, keys: Iterable[Request]) -> None:
    """All of them."""
    for key in keys:
        work.enqueue(*key)


def credentials(count: int, namespace: str = "busy") -> list[Request]:
    """So many of one namespace."""
    return [Request(RequestKind.CREDENTIAL, NamespacedName(namespace, f"one-{number}")) for number in range(count)]


async def test_a_namespace_with_all_its_credentials_due_does_not_delay_another() -> None:
    """A worker is free for the other one, and it goes before all that waits."""
    async with looking() as looks:
        enqueue(looks.work, credentials(MANY))
        await settled()
        enqueue(looks.work, [OTHER])
        await settled()
        assert looks.begun[-1] == OTHER.name
        assert looks.most["busy"] < WORKERS


async def test_due_times_of_one_namespace_do_not_delay_anothers() -> None:
    """All are due at the same moment; the other namespace's is looked at among the first."""
    moment = now()
    due = moment + timedelta(minutes=1)
    async with looking(clock=lambda: moment) as looks:
        enqueue(looks.work, (*credentials(MANY), OTHER, SOONER))
        await settled()
        while looks.under_way:
            for name, going_on in looks.under_way.items():
                going_on.set_result(due if name != SOONER.name else None)
            await settled()
        assert looks.work.scheduled == MANY + 1
        looks.begun.clear()
        moment = due
        looks.work.enqueue(*SOONER)
        await settled()
        looks.under_way[SOONER.name].set_result(due - timedelta(seconds=1))  # which makes the schedule look at the clock
        await settled()
        assert OTHER.name in looks.begun
        assert len(looks.begun) <= WORKERS + 1


async def test_organizations_that_agents_name_have_one_turn_together() -> None:
    """However many a namespace names, another waits for one of them at most."""
    async with looking(workers=1) as looks:
        enqueue(
            looks.work, (Request(RequestKind.ORGANIZATION, NamespacedName("", f"made-up-{number}")) for number in range(100))
        )
        await settled()
        enqueue(looks.work, [OTHER])
        await looks.finish_one()
        assert looks.begun[-1] == OTHER.name


async def test_a_namespace_whose_writes_all_fail_holds_no_worker() -> None:
    """What failed waits in the schedule for its back-off."""
    work, attempts = WorkQueue(2), Counter[str]()

    async def reconcile(name: NamespacedName) -> None:
        attempts[name.namespace] += 1
        if name.namespace == "busy":
            raise Unreachable("no answer")

    task = asyncio.create_task(work.run(dict.fromkeys(RequestKind, reconcile), lambda *_: None, lambda: None))
    enqueue(work, credentials(100))
    for _ in range(50):
        await settled()
    assert (attempts["busy"], work.waiting, work.scheduled) == (100, 0, 100)
    work.enqueue(*OTHER)
    await settled()
    assert attempts["other"] == 1
    task.cancel()


KEYS = st.builds(
    Request, st.just(RequestKind.CREDENTIAL), st.builds(NamespacedName, st.sampled_from("abc"), st.sampled_from("123456"))
)


@given(st.lists(st.one_of(KEYS, st.just("finish"))), st.integers(1, 5))
def test_no_worker_idles_and_nothing_is_lost(note: list[Request | str], workers: int) -> None:
    """Work conserving: where a worker is idle, there is nothing that may run. At the end everything was looked at."""
    asyncio.run(_live(note, workers))


async def _live(note: list[Request | str], workers: int) -> None:
    async with looking(workers) as looks:
        share = max(1, workers - max(1, workers // 4))
        for event in note:
            if isinstance(event, Request):
                looks.work.enqueue(*event)
                await settled()
            elif looks.under_way:
                await looks.finish_one()
            running = Counter(one.namespace for one in looks.under_way)
            may_run = {key.name.namespace for key in looks.work.queued if running[key.name.namespace] < share}
            assert len(looks.under_way) == workers or not may_run
            assert max(running.values(), default=0) <= share
        await looks.finish_all()
        assert {one.name for one in note if isinstance(one, Request)} == set(looks.begun)
        assert not looks.work.queued


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 30)), min_size=1, max_size=12), st.integers(1, 4))
def test_nobody_starves(crowd: list[tuple[str, int]], workers: int) -> None:
    """Whatever others enqueue before or meanwhile, at most one of each of them is begun before a newcomer's first."""
    asyncio.run(_arrive(crowd, workers))


async def _arrive(crowd: list[tuple[str, int]], workers: int) -> None:
    async with looking(workers) as looks:
        for turn, (namespace, count) in enumerate(crowd):
            enqueue(looks.work, credentials(count, namespace + str(turn % 2)))
        await settled()
        looks.begun.clear()
        enqueue(looks.work, [OTHER])
        for namespace, count in crowd:
            enqueue(looks.work, credentials(count + 30, namespace + "-more"))
        await settled()
        while OTHER.name not in looks.begun:
            await looks.finish_one()
        before = Counter(one.namespace for one in looks.begun[: looks.begun.index(OTHER.name)])
        assert max(before.values(), default=0) <= 1


@pytest.mark.parametrize("threads", [1, 2])
async def test_secrets_of_one_namespace_do_not_keep_anothers_from_being_made(threads: int) -> None:
    """In the pool itself: the other's comes long before the last of those that waited when it came."""
    generator, made = SecretGenerator(threads, 5), list[str]()

    async def make(group: str) -> None:
        await generator.make("id", group)
        made.append(group)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(200):
            tasks.create_task(make("busy"))
        await settled()
        tasks.create_task(make("other"))
    assert made.index("other") < 100


@pytest.mark.parametrize("places", [1, 4])
async def test_the_next_free_place_is_the_newcomers(places: int) -> None:
    """However many of another group wait."""
    lock, entered, leave = FairLock(places), list[str](), asyncio.Queue[None]()

    async def hold(group: str) -> None:
        async with lock.place_for(group):
            entered.append(group)
            await leave.get()

    holding = [asyncio.create_task(hold("busy")) for _ in range(40)]
    await settled()
    holding.append(asyncio.create_task(hold("other")))
    await settled()
    assert entered == ["busy"] * places
    leave.put_nowait(None)
    await settled()
    assert entered == ["busy"] * places + ["other"]
    for one in holding:
        one.cancel()
    await asyncio.gather(*holding, return_exceptions=True)


async def test_who_waits_no_more_leaves_its_place_to_others() -> None:
    """Whether its turn had come or not, as when a task is cancelled."""
    lock, entered = FairLock(1), list[str]()

    async def hold(group: str, release: asyncio.Event) -> None:
        async with lock.place_for(group):
            entered.append(group)
            await release.wait()

    first, last = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(hold("a", first))
    await settled()
    waiting = [asyncio.create_task(hold(group, last)) for group in "bc"]
    await settled()
    waiting[0].cancel()
    await settled()
    first.set()
    last.set()
    await asyncio.gather(holding, *waiting, return_exceptions=True)
    assert entered == ["a", "c"]
    async with lock.place_for("d"):
        pass
