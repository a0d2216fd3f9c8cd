"""Client rate: how many requests each client may make at this replica, by one token bucket for each client.

A client is counted after it has authenticated. So there are as many buckets as agents in the cluster at most (and as many again
for requests with an access token), and no client uses up the rate of another.
"""

import math
import time
from collections.abc import Callable

from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests
from agentidp.runtime.token_buckets import TokenBuckets


class ClientRate:
    """At most `burst` requests at once, and `per_second` on average, for each client; a rate of 0 is no limit."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        what: str = "requests of this client",
    ) -> None:
        self._buckets = TokenBuckets(per_second, burst, clock) if per_second else None
        self._burst = burst
        self._what = what

    def take(self, client_id: str) -> None:
        """Count one request. Raises OAuthError where it is one too many."""
        if self._buckets is not None and not self._buckets.take(client_id):
            raise self._too_many(self._buckets.wait(client_id), self._buckets.full_in(client_id))

    def _too_many(self, wait: float, until_full: float) -> OAuthError:
        headers = (
            ("X-RateLimit-Limit", str(self._burst)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(math.ceil(time.time() + until_full))),
        )
        return too_many_requests(f"Too many {self._what}.", math.ceil(wait) or 1, headers)
