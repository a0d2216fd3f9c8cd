"""How late the event loop is: everything that waits on it waits as long, probes and the lease's renewal among it."""

import asyncio
import time

LOOK_EVERY = 0.05


class LoopLag:
    """The worst delay since somebody last asked."""

    def __init__(self) -> None:
        self._worst = 0.0

    def take(self) -> float:
        """In seconds; the next answer is of what comes after this one."""
        worst, self._worst = self._worst, 0.0
        return worst

    async def measure(self) -> None:
        """For ever: sleep, and see how much longer that took."""
        while True:
            due = time.monotonic() + LOOK_EVERY
            await asyncio.sleep(LOOK_EVERY)
            self._worst = max(self._worst, time.monotonic() - due)
