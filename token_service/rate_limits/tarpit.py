"""Tarpit: delays rejections by 100 ms once more than 50 requests a second are rejected.

Senders that wait for each answer before they try again then leave the core to others. Accepted requests are never delayed. The
delay depends on the rate of rejections alone, so it reveals nothing about the reason. A delayed request costs its connection,
and connections are bounded.
"""

import asyncio
import time
from collections.abc import Callable

from token_service.limits import LIMITS, Limits


class Tarpit:
    """Lets the first `rejections_per_second` of each second pass at once."""

    def __init__(self, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._second = 0
        self._rejections = 0

    async def delay(self) -> None:
        """Count a rejection, and wait where there are very many."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._rejections = second, 0
        self._rejections += 1
        if self._rejections > self._limits.rejections_per_second:
            await asyncio.sleep(self._limits.tarpit_seconds)
