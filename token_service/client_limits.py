"""How many requests each client may make: one token bucket a client, in memory that all processes of this service share.

A slot holds a client's fingerprint and the moment at which its bucket is full again. A client is looked for in a few slots; if
all of them are others' and in use, it is let through: the limit is there to keep one client from taking everybody's time, and
none has to suffer for another.
"""

import math
import mmap
import time
from collections.abc import Callable

from agentidp.domain.oauth_errors import OAuthError, too_many_requests

SLOTS = 65_536
PROBES = 8


class ClientLimits:
    """So many requests at once, and so many a second, for each client; a rate of 0 is no limit.

    Make it before processes are forked: they share the slots, and Python's hashes, which the fingerprints are.
    """

    def __init__(
        self,
        per_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        what: str = "requests of this client",
    ) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._tolerance = self._interval * (burst + 0.001)  # what rounding may add is forgiven
        self._burst = burst
        self._clock = clock
        self._what = what
        self._clients = memoryview(mmap.mmap(-1, SLOTS * 8)).cast("q")
        self._full_at = memoryview(mmap.mmap(-1, SLOTS * 8)).cast("d")

    def take(self, client_id: str) -> OAuthError | None:
        """Count one request; the refusal where it is one too many."""
        if not self._interval:
            return None
        now, fingerprint = self._clock(), hash(client_id)
        slot = fingerprint % SLOTS
        if self._clients[slot] != fingerprint:
            found = self._slot(fingerprint, now)
            if found is None:
                return None
            slot = found
        full_at = self._full_at[slot]
        if full_at < now or self._clients[slot] != fingerprint:
            full_at = now
        full_at += self._interval
        excess = full_at - now - self._tolerance
        if excess > 0:
            return self._refusal(excess, full_at - self._interval - now)
        self._clients[slot] = fingerprint
        self._full_at[slot] = full_at
        return None

    def _slot(self, fingerprint: int, now: float) -> int | None:
        """The client's own slot, or the first that nobody uses."""
        free = None
        for probe in range(PROBES):
            slot = (fingerprint + probe) % SLOTS
            if self._clients[slot] == fingerprint:
                return slot
            if free is None and self._full_at[slot] <= now:
                free = slot
        return free

    def _refusal(self, wait: float, until_full: float) -> OAuthError:
        headers = (
            ("X-RateLimit-Limit", str(self._burst)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(math.ceil(time.time() + until_full))),
        )
        return too_many_requests(f"Too many {self._what}.", math.ceil(wait), headers)
