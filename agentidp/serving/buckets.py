"""Token buckets: so many at once and so many a second for each key (the generic cell rate algorithm: one number a key)."""

import time
from collections.abc import Callable

MOST_KEYS = 100_000


class Buckets:
    """A bucket for each key. One that is full again is forgotten, so memory is bounded by those in use."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._tolerance = burst / per_second
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, key: str) -> bool:
        """Take one, if there is one."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._interval
        if full_at - now > self._tolerance + self._interval / 1000:  # what rounding may add is forgiven
            return False
        if len(self._full_at) >= MOST_KEYS:
            self._forget(now)
        self._full_at[key] = full_at
        return True

    def wait(self, key: str) -> float:
        """Seconds until there is one to take; 0 when there is one now."""
        now = self._clock()
        return max(0.0, self._full_at.get(key, now) - now + self._interval - self._tolerance)

    def _forget(self, now: float) -> None:
        """Those that are full; and where that helps nothing, all: a flood of keys is not what these buckets are against."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if len(self._full_at) >= MOST_KEYS:
            self._full_at.clear()
