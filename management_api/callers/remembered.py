"""Answers that are good for a while."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MOST = 10_000

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Remembered(Generic[KeyT, ValueT]):
    """Each for so many seconds; the oldest go first where there are too many."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[KeyT, tuple[float, ValueT]] = {}

    def find(self, key: KeyT) -> ValueT | None:
        """What was added not too long ago."""
        until, value = self._entries.get(key, (0.0, None))
        return value if self._clock() < until else None

    def add(self, key: KeyT, value: ValueT) -> None:
        """From now on."""
        self._entries.pop(key, None)
        if len(self._entries) >= MOST:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = self._clock() + self._seconds, value
