"""Places that a bounded number of tasks may hold at a time, handed out to waiting groups in turn.

What flows in: tasks that name a group (a namespace). What flows out: each has a place while its block runs. A group alone gets
all places; where several wait, each place that is left goes to the group that has had least (see `fair_queue`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.runtime.pools.fair_queue import FairQueue


class FairLock:
    """Like a semaphore of so many places, but fair to groups."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._line: FairQueue[asyncio.Future[None]] = FairQueue(places)

    @asynccontextmanager
    async def place_for(self, group: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it while the block runs."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.add(group, turn)
        self._hand_out()
        try:
            await turn
            yield
        finally:
            if not self._line.discard(group, turn):
                self._line.done(group)
                self._free += 1
                self._hand_out()

    def _hand_out(self) -> None:
        while self._free and (turn := self._line.take()):
            self._free -= 1
            if not turn.done():
                turn.set_result(None)
