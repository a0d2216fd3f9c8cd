"""Loop lag: how late the event loop runs tasks, among them probes and the renewal of the Lease."""

import asyncio
import time

CHECK_EVERY = 0.05


class LoopLag:
    """The longest delay since the last `take`."""

    def __init__(self) -> None:
        self._worst = 0.0

    def take(self) -> float:
        """Return the longest delay in seconds, and start anew."""
        worst, self._worst = self._worst, 0.0
        return worst

    async def measure(self) -> None:
        """Measure without end: sleep, and compare the time that it took."""
        while True:
            due = time.monotonic() + CHECK_EVERY
            await asyncio.sleep(CHECK_EVERY)
            self._worst = max(self._worst, time.monotonic() - due)
