"""The pool: turns by namespace, one thread left to others, bounds, each job once, and a thread is always given back.

No bcrypt runs and no time is measured: `work` waits until the test lets it go, and what counts is what has begun.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator

import pytest

from agentidp.runtime.pools.bcrypt_pool import BcryptPool, Busy

CORES = 2


class Work:
    """Stands for bcrypt: a job ends when the test says so. The first letter of a job is its namespace."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.finished: list[str] = []
        self._ends: dict[str, threading.Event] = {}
        self._all = False

    def __call__(self, job: str) -> str:
        """In a thread."""
        self.begun.append(job)
        end = self._end_of(job)
        if not self._all:
            end.wait(10)
        if job.endswith("!"):
            raise ValueError(job)
        return f"result of {job}"

    def end(self, job: str) -> None:
        """Let it go on."""
        self._end_of(job).set()

    def end_all(self) -> None:
        """And all that are to come."""
        self._all = True
        for end in list(self._ends.values()):
            end.set()

    async def until_begun(self, *jobs: str) -> None:
        """These, and no others."""
        async with asyncio.timeout(10):
            while len(self.begun) < len(jobs):  # noqa: ASYNC110 threads set no event of the loop
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert sorted(self.begun) == sorted(jobs)

    def _end_of(self, job: str) -> threading.Event:
        return self._ends.setdefault(job, threading.Event())


class Bench:
    """A pool with this work."""

    def __init__(self, threads: int = CORES + 1, max_waiting: int = 100) -> None:
        self.work = Work()
        self.pool = BcryptPool[str, str](threads, max_waiting, self.work, lambda job, _: self.work.finished.append(job))

    async def run(self, *jobs: str, cost: int = 10) -> "list[asyncio.Task[str]]":
        """Ask for each of them."""
        tasks = [asyncio.create_task(self.pool.run(job[0], cost, job)) for job in jobs]
        await asyncio.sleep(0)
        return tasks


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Two cores."""
    bench = Bench()
    yield bench
    bench.work.end_all()
    bench.pool.close()


async def test_bcrypt_pool_leaves_a_thread_to_other_namespaces(bench: Bench) -> None:
    """20 checks at cost 14 of one at once: another's first check begins at once."""
    await bench.run(*(f"a{number}" for number in range(20)), cost=14)
    await bench.work.until_begun("a0", "a1")
    (other,) = await bench.run("b")
    await bench.work.until_begun("a0", "a1", "b")
    bench.work.end("b")
    assert await other == "result of b"


async def test_bcrypt_pool_serves_a_new_namespace_next(bench: Bench) -> None:
    """By two that have 20 waiting each: a third does not wait for more than one check."""
    await bench.run(*(f"a{number}" for number in range(20)), *(f"b{number}" for number in range(20)), cost=14)
    await bench.work.until_begun("a0", "a1", "b0")
    await bench.run("c")
    bench.work.end("a0")
    await bench.work.until_begun("a0", "a1", "b0", "c")


async def test_bcrypt_pool_weighs_turns_by_cost() -> None:
    """In one thread a check at cost 14 is worth 16 at cost 10."""
    bench = Bench(threads=1, max_waiting=1000)
    dear = await bench.run(*(f"a{number}" for number in range(4)), cost=14)
    cheap = await bench.run(*(f"b{number}" for number in range(64)), cost=10)
    bench.work.end_all()
    await asyncio.gather(*dear, *cheap)
    places = [place for place, job in enumerate(bench.work.begun) if job[0] == "a"]
    assert places == [0, 17, 34, 51]
    bench.pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_bcrypt_pool_runs_costly_jobs_at_a_lower_priority() -> None:
    """Threads of least cost go before those of more, and the event loop before all."""
    pool = BcryptPool[str, int](3, 10, lambda _: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert own < await pool.run("a", 10, "cheap") < await pool.run("a", 14, "dear")
    pool.close()


async def test_bcrypt_pool_runs_equal_jobs_once(bench: Bench) -> None:
    """All who ask get the result, and it is told once."""
    tasks = await bench.run(*["a"] * 20)
    bench.work.end("a")
    assert await asyncio.gather(*tasks) == ["result of a"] * 20
    assert (bench.work.begun, bench.work.finished, len(bench.pool)) == (["a"], ["a"], 0)


async def test_bcrypt_pool_bounds_a_namespace_and_all() -> None:
    """One that asks for all it can have leaves a place to others; Busy tells how long its own will take."""
    bench = Bench(max_waiting=1024)
    tasks = await bench.run(*(f"a{number}" for number in range(1000)), cost=14)
    refused = [task.exception() for task in tasks if task.done()]
    waiting = 1000 - len(refused) - CORES
    assert 200 <= waiting == 1024 // 4
    assert {one.retry_after for one in refused if isinstance(one, Busy)} == {1 + waiting // CORES}
    (other,) = await bench.run("b")
    await bench.work.until_begun("a0", "a1", "b")
    bench.work.end("b")
    assert await other == "result of b"
    bench.work.end_all()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(bench.pool) == 0
    bench.pool.close()


async def test_bcrypt_pool_takes_a_burst_of_200_of_one_namespace() -> None:
    """With the bound that is the token service's default, also where three others do all they can to fill it."""
    bench = Bench(max_waiting=2048)
    hogs = [await bench.run(*(f"{hog}{number}" for number in range(2048))) for hog in "xyz"]
    burst = await bench.run(*(f"a{number}" for number in range(200)))
    assert not any(task.done() for task in burst)
    bench.work.end_all()
    assert await asyncio.gather(*burst) == [f"result of a{number}" for number in range(200)]
    await asyncio.gather(*(task for tasks in hogs for task in tasks), return_exceptions=True)
    bench.pool.close()


async def test_bcrypt_pool_frees_the_place_of_a_cancelled_caller(bench: Bench) -> None:
    """A check that has not begun is not begun; one that others wait for is."""
    await bench.run("a0", "a1")
    leaves, shared, stays = await bench.run("a2", "a3", "a3")
    before = len(bench.pool)
    leaves.cancel()
    shared.cancel()
    await asyncio.wait([leaves, shared])
    assert (leaves.cancelled(), shared.cancelled(), before - len(bench.pool)) == (True, True, 1)
    bench.work.end_all()
    assert await stays == "result of a3"
    assert sorted(bench.work.begun) == ["a0", "a1", "a3"]


async def test_bcrypt_pool_finishes_a_job_that_has_begun(bench: Bench) -> None:
    """Nobody has a guess for nothing by hanging up before the result is there."""
    (leaves,) = await bench.run("a0")
    await bench.work.until_begun("a0")
    leaves.cancel()
    await asyncio.sleep(0)
    bench.work.end("a0")
    assert await leaves == "result of a0"
    assert bench.work.finished == ["a0"]


async def test_bcrypt_pool_frees_the_thread_after_an_error(bench: Bench) -> None:
    """As often as it happens; who asked is told."""
    bench.work.end_all()
    tasks = await bench.run(*(f"a{number}!" for number in range(20)))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in outcomes} == {ValueError}
    (after,) = await bench.run("a")
    assert await after == "result of a"
    assert (len(bench.pool), bench.work.finished) == (0, ["a"])


async def test_bcrypt_pool_begins_nothing_after_close(bench: Bench) -> None:
    """Whoever waits is cancelled; what runs is finished."""
    tasks = await bench.run("a0", "a1", "a2")
    await bench.work.until_begun("a0", "a1")
    bench.pool.close()
    bench.work.end_all()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, False, True]
    assert sorted(bench.work.begun) == ["a0", "a1"]
