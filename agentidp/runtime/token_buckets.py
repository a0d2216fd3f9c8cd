"""Token buckets: so many at once and so many a second for each key (the generic cell rate algorithm: one number a key)."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 100_000


class TokenBuckets:
    """A bucket for each key; one that is full again is worth nothing and is forgotten when other keys come.

    There are `most_keys` at most: beyond that the least recently used one is forgotten, though it is not full. So to reset the
    bucket of one key, as many others have to be taken from.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS
    ) -> None:
        self._interval = 1 / per_second
        self._tolerance = burst / per_second
        self._clock = clock
        self._most_keys = most_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """When each is full again, the least recently used first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str) -> bool:
        """Take one, if there is one."""
        now, known = self._clock(), self._full_at.get(key)
        if known is not None:
            self._full_at.move_to_end(key)
        full_at = (now if known is None else max(known, now)) + self._interval
        if full_at - now > self._tolerance + self._interval / 1000:  # what rounding may add is forgiven
            return False
        self._full_at[key] = full_at
        if known is None:
            self._forget(now)
        return True

    def wait(self, key: str) -> float:
        """Seconds until there is one to take; 0 when there is one now."""
        return max(0.0, self.full_in(key) + self._interval - self._tolerance)

    def full_in(self, key: str) -> float:
        """Seconds until the bucket is full."""
        now = self._clock()
        return max(0.0, self._full_at.get(key, now) - now)

    def _forget(self, now: float) -> None:
        """Of the least recently used, the one that is too many, and two that are full: so they go faster than others come."""
        for _ in range(2):
            oldest, full_at = next(iter(self._full_at.items()))
            if full_at > now and len(self._full_at) <= self._most_keys:
                return
            del self._full_at[oldest]
