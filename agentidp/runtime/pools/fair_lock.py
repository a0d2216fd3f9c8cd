"""Fair lock: serves waiting groups in turns, and the waiters of one group first come, first served.

Flows in: tasks, each with a group (a namespace). Flows out: a place for each, while its block runs. Bounded: the places, and
those of one group. Where several groups wait, a free place goes to the group that has had the least (`FairQueue`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.runtime.pools.fair_queue import FairQueue


class FairLock:
    """Like a semaphore of so many places, `max_of_a_group` of them for one group, but fair to groups."""

    def __init__(self, places: int, max_of_a_group: int | None = None) -> None:
        self._free = places
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(max_of_a_group or places)

    @asynccontextmanager
    async def place_for(self, group: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it while the block runs."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.add(group, waiter)
        self._hand_out()
        try:
            await waiter
            yield
        finally:
            if not self._queue.discard(group, waiter):
                self._queue.done(group)
                self._free += 1
                self._hand_out()

    def _hand_out(self) -> None:
        while self._free and (waiter := self._queue.take()):
            self._free -= 1
            if not waiter.done():
                waiter.set_result(None)
