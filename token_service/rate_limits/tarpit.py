"""A flood of refusals is answered late: whoever waits for each answer before the next try then leaves the core to others.

Which ones are held depends on how many there are, never on why, so it tells nobody anything. Those who are accepted never wait,
and those who are held cost a connection, of which there is a bounded number.
"""

import asyncio
import time
from collections.abc import Callable

AT_ONCE_PER_SECOND = 50
HOLD_SECONDS = 0.1


class Tarpit:
    """Lets so many refusals a second go at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._refused = 0

    async def hold(self) -> None:
        """Wait, where this refusal is one of very many."""
        if self._is_one_of_many():
            await asyncio.sleep(HOLD_SECONDS)

    def _is_one_of_many(self) -> bool:
        second = int(self._clock())
        if second != self._second:
            self._second, self._refused = second, 0
        self._refused += 1
        return self._refused > AT_ONCE_PER_SECOND
