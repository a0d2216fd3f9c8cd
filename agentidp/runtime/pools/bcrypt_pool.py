"""bcrypt in a few threads, which namespaces share: each has its turn, by what its jobs cost, and one never has all threads.

A job goes in with the namespace that it is for and the cost of its hash; each step of that cost doubles the time. Out comes
what `work` makes of the job in a thread that gives way to the event loop, and, where the cost is above the least, to those of
least cost. Equal jobs run once: all who wait have the result.
Bounded are the threads, the jobs that wait in all, and those of one namespace (`FairQueue.admits`); one more raises Busy.

Whoever is cancelled frees the place in the queue, if nobody else waits for the same. A job that has begun is always finished,
and its result is what `run` returns: what a wrong secret has cost has to be counted, though its sender has left meanwhile.
Everything but `work` runs on the event loop. Decision 34 says why it is so.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from agentidp.domain.secrets.client_secrets import MIN_COST
from agentidp.runtime.pools.fair_queue import FairQueue

NICENESS, NICENESS_OF_DEAR_JOBS = 10, 19
"""Linux has a priority for each thread: the event loop's comes first, and what costs more than it must comes last."""
UNITS_PER_SECOND = 2**14
"""bcrypt at cost 10 takes a sixteenth of a second, more or less."""

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class Busy(Exception):
    """Too many jobs of this namespace wait; `retry_after` seconds are a good time to wait."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many secrets are being checked")
        self.retry_after = retry_after


@dataclass
class _Entry(Generic[ResultT]):
    """A job that waits or runs, and how many wait for its result."""

    namespace: str
    cost: int
    result: asyncio.Future[ResultT]
    waiters: int = 0


class BcryptPool(Generic[JobT, ResultT]):
    """One namespace has `threads - 1` of the threads at most, unless there is just one."""

    def __init__(
        self,
        threads: int,
        max_waiting: int,
        work: Callable[[JobT], ResultT],
        finished: Callable[[JobT, ResultT], None] = lambda *_: None,
    ) -> None:
        self._executor = ThreadPoolExecutor(threads, "bcrypt", initializer=partial(_give_way, NICENESS))
        self._executor_of_dear_jobs = ThreadPoolExecutor(
            threads, "bcrypt-dear", initializer=partial(_give_way, NICENESS_OF_DEAR_JOBS)
        )
        self._free_threads = threads
        self._max_running = max(1, threads - 1)
        self._max_waiting = max_waiting
        self._work = work
        self._finished = finished
        self._queue = FairQueue[JobT](self._max_running)
        self._entries: dict[JobT, _Entry[ResultT]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def run(self, namespace: str, cost: int, job: JobT) -> ResultT:
        """What `work` makes of the job. Raises Busy, and what `work` raises."""
        entry = self._entries.get(job) or self._add(namespace, cost, job)
        entry.waiters += 1
        try:
            return await asyncio.shield(entry.result)  # one who gives up does not cancel it for the others
        except asyncio.CancelledError:
            if entry.waiters > 1 or entry.result.cancelled() or self._drop(job, entry):
                raise
            return await _finish(entry.result)
        finally:
            entry.waiters -= 1

    def close(self) -> None:
        """Stop; what has not begun is not begun."""
        for job, entry in list(self._entries.items()):
            self._drop(job, entry)
        for executor in (self._executor, self._executor_of_dear_jobs):
            executor.shutdown(wait=False, cancel_futures=True)

    def _add(self, namespace: str, cost: int, job: JobT) -> _Entry[ResultT]:
        if not self._queue.admits(namespace, self._max_waiting):
            raise Busy(1 + self._queue.waiting_cost_of(namespace) // (UNITS_PER_SECOND * self._max_running))
        entry = self._entries[job] = _Entry(namespace, cost, asyncio.get_running_loop().create_future())
        self._queue.add(namespace, job, 2**cost)
        self._begin_what_may()
        return entry

    def _drop(self, job: JobT, entry: _Entry[ResultT]) -> bool:
        """Take a job out, if it has not begun."""
        if not self._queue.discard(entry.namespace, job):
            return False
        del self._entries[job]
        entry.result.cancel()
        return True

    def _begin_what_may(self) -> None:
        while self._free_threads and (job := self._queue.take()) is not None:
            self._free_threads -= 1
            executor = self._executor_of_dear_jobs if self._entries[job].cost > MIN_COST else self._executor
            running = asyncio.get_running_loop().run_in_executor(executor, self._work, job)
            running.add_done_callback(partial(self._end, job))

    def _end(self, job: JobT, ran: asyncio.Future[ResultT]) -> None:
        """Give the thread to the next, whatever has become of this one."""
        entry = self._entries.pop(job)
        self._free_threads += 1
        self._queue.done(entry.namespace)
        self._begin_what_may()
        if ran.cancelled():
            entry.result.cancel()
        elif error := ran.exception():
            entry.result.set_exception(error)
        else:
            entry.result.set_result(ran.result())
            self._finished(job, ran.result())  # before those who wait go on


async def _finish(result: asyncio.Future[ResultT]) -> ResultT:
    """Obey no cancellation before it is there."""
    task = asyncio.current_task()
    if task:
        task.uncancel()
    return await asyncio.shield(result)


def _give_way(niceness: int) -> None:
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
