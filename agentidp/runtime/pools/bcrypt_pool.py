"""bcrypt pool: runs bcrypt in a few threads. Namespaces share the threads by the cost of their jobs.

Flows in: a job with its namespace and the cost of its hash, each step of which doubles the time. Flows out: the result of
`work`. Threads have a lower priority than the event loop, and jobs above `MIN_COST` run in threads of a still lower priority. A
namespace has all threads but one, or the only one. While a job waits or runs, callers with an equal job get its result.
Bounded: the threads, the jobs that wait in all, and those of one namespace (`FairQueue.admits`); one more raises Busy.

A cancelled caller frees the place in the queue, if no other caller waits for the same job. A job that has begun is always
finished, and `run` returns its result even to a cancelled caller: the cost of a wrong secret has to be counted though the
client has left. Everything but `work` runs on the event loop. Decision 34 says why.
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

NICENESS, NICENESS_OF_COSTLY_JOBS = 10, 19
"""Linux has a priority for each thread: the event loop's comes first, and that of jobs above the least cost comes last."""
COST_UNITS_PER_SECOND = 2**14
"""A hash of cost n has 2^n units; at cost 10 it takes about 1/16 s."""

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class Busy(Exception):
    """Too many jobs wait, of this namespace or of all. A caller may try again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many secrets are being checked")
        self.retry_after = retry_after


@dataclass
class _Entry(Generic[ResultT]):
    """A job that waits or runs, and the number of its callers."""

    namespace: str
    cost: int
    result: asyncio.Future[ResultT]
    callers: int = 0


class BcryptPool(Generic[JobT, ResultT]):
    """Threads, of which one namespace has at most `threads - 1`, or the only one.

    `finished` is called with each job and its result, before the callers go on.
    """

    def __init__(
        self,
        threads: int,
        max_waiting: int,
        work: Callable[[JobT], ResultT],
        finished: Callable[[JobT, ResultT], None] = lambda *_: None,
    ) -> None:
        self._executor = ThreadPoolExecutor(threads, "bcrypt", initializer=partial(_set_niceness, NICENESS))
        self._costly_executor = ThreadPoolExecutor(
            threads, "bcrypt-costly", initializer=partial(_set_niceness, NICENESS_OF_COSTLY_JOBS)
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
        """Return the result of `work` for this job. Raises Busy, and what `work` raises."""
        entry = self._entries.get(job) or self._add(namespace, cost, job)
        entry.callers += 1
        try:
            return await asyncio.shield(entry.result)  # a cancelled caller does not cancel it for the others
        except asyncio.CancelledError:
            if entry.callers > 1 or entry.result.cancelled() or self._cancel(job, entry):
                raise
            return await _finish(entry.result)
        finally:
            entry.callers -= 1

    def close(self) -> None:
        """End the threads after their present jobs, and cancel all jobs that wait."""
        for job, entry in list(self._entries.items()):
            self._cancel(job, entry)
        for executor in (self._executor, self._costly_executor):
            executor.shutdown(wait=False, cancel_futures=True)

    def _add(self, namespace: str, cost: int, job: JobT) -> _Entry[ResultT]:
        if not self._queue.admits(namespace, self._max_waiting):
            raise Busy(1 + self._queue.waiting_cost_of(namespace) // (COST_UNITS_PER_SECOND * self._max_running))
        entry = self._entries[job] = _Entry(namespace, cost, asyncio.get_running_loop().create_future())
        self._queue.add(namespace, job, 2**cost)
        self._start_jobs()
        return entry

    def _cancel(self, job: JobT, entry: _Entry[ResultT]) -> bool:
        """Cancel a job that has not begun; return whether it was so."""
        if not self._queue.discard(entry.namespace, job):
            return False
        del self._entries[job]
        entry.result.cancel()
        return True

    def _start_jobs(self) -> None:
        while self._free_threads and (job := self._queue.take()) is not None:
            self._free_threads -= 1
            executor = self._costly_executor if self._entries[job].cost > MIN_COST else self._executor
            running = asyncio.get_running_loop().run_in_executor(executor, self._work, job)
            running.add_done_callback(partial(self._end_job, job))

    def _end_job(self, job: JobT, ran: asyncio.Future[ResultT]) -> None:
        """Give the thread to the next job, and the result to the callers of this one."""
        entry = self._entries.pop(job)
        self._free_threads += 1
        self._queue.done(entry.namespace)
        self._start_jobs()
        if ran.cancelled():
            entry.result.cancel()
        elif error := ran.exception():
            entry.result.set_exception(error)
        else:
            entry.result.set_result(ran.result())
            self._finished(job, ran.result())  # before the callers go on


async def _finish(result: asyncio.Future[ResultT]) -> ResultT:
    """Return the result, and ignore the cancellation of this task."""
    task = asyncio.current_task()
    if task:
        task.uncancel()
    return await asyncio.shield(result)


def _set_niceness(niceness: int) -> None:
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
