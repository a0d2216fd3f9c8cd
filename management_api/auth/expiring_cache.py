"""Answers that are good for a while."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MOST = 10_000
MOST_OF_A_GROUP = 1_000

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class ExpiringCache(Generic[KeyT, ValueT]):
    """Each for so many seconds. The oldest of a group go first where the group has too many: no tenant crowds others out."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        most: int = MOST,
        most_of_a_group: int = MOST_OF_A_GROUP,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._most_of_a_group = most_of_a_group
        self._entries: dict[KeyT, tuple[float, ValueT, str]] = {}
        self._groups: dict[str, dict[KeyT, None]] = {}

    def find(self, key: KeyT) -> ValueT | None:
        """What was added not too long ago."""
        entry = self._entries.get(key)
        return entry[1] if entry and self._clock() < entry[0] else None

    def add(self, key: KeyT, value: ValueT, group: str = "") -> None:
        """From now on; `group` is the tenant that it is about."""
        self._forget(key)
        members = self._groups.get(group, {})
        if len(members) >= self._most_of_a_group:
            self._forget(next(iter(members)))
        elif len(self._entries) >= self._most:
            self._forget(next(iter(self._entries)))
        self._entries[key] = self._clock() + self._seconds, value, group
        self._groups.setdefault(group, {})[key] = None

    def _forget(self, key: KeyT) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        members = self._groups[entry[2]]
        del members[key]
        if not members:
            del self._groups[entry[2]]
