"""Bounds the lines of a log that strangers can cause: a flood is told as a number, and does not fill the log."""

import time
from collections.abc import Callable

LINES_PER_SECOND = 10


class LogLimit:
    """At most `LINES_PER_SECOND` lines of one kind, and how many were left out before each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def take(self) -> int | None:
        """How many lines were left out since the last one; None where this one is left out, too."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= LINES_PER_SECOND:
            self._left_out += 1
            return None
        self._lines += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
