"""Token buckets: a burst and a rate for each key, by the generic cell rate algorithm.

Flows in: keys, each time one token is to be taken. Flows out: whether there was one, and the seconds until there is one.
Bounded: 100,000 keys, of each of which one number is kept. Full buckets are removed first, then the least recently used ones.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_KEYS = 100_000


class TokenBuckets:
    """A bucket for each key. A full bucket needs no entry, and is removed when other keys come.

    There are at most `max_keys`: beyond that the least recently used bucket is removed, though it is not full. So the reset of
    one bucket takes tokens of as many others.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS
    ) -> None:
        self._interval = 1 / per_second
        self._tolerance = burst / per_second
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """When each bucket is full again, the least recently used first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str) -> bool:
        """Take a token, and return whether there was one."""
        now, before = self._clock(), self._full_at.get(key)
        if before is not None:
            self._full_at.move_to_end(key)
        full_at = (now if before is None else max(before, now)) + self._interval
        if full_at - now > self._tolerance + self._interval / 1000:  # less than rounding may add
            return False
        self._full_at[key] = full_at
        if before is None:
            self._trim(now)
        return True

    def wait(self, key: str) -> float:
        """Seconds until there is a token; 0 where there is one now."""
        return max(0.0, self.full_in(key) + self._interval - self._tolerance)

    def full_in(self, key: str) -> float:
        """Seconds until the bucket of this key is full."""
        now = self._clock()
        return max(0.0, self._full_at.get(key, now) - now)

    def _trim(self, now: float) -> None:
        """Remove one bucket beyond the bound, and up to two full ones, so they go faster than others come."""
        for _ in range(2):
            oldest, full_at = next(iter(self._full_at.items()))
            if full_at > now and len(self._full_at) <= self._max_keys:
                return
            del self._full_at[oldest]
