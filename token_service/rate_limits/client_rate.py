"""How many requests each client may make at this replica: one token bucket a client.

A client is counted once it has authenticated. So there are as many buckets as agents in the cluster at most (and as many again
for those who come with an access token), and nobody can take from another's.
"""

import math
import time
from collections.abc import Callable

from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests
from agentidp.runtime.token_buckets import TokenBuckets


class ClientRate:
    """So many requests at once, and so many a second, for each client; a rate of 0 is no limit."""

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

    def take(self, client_id: str) -> OAuthError | None:
        """Count one request; the refusal where it is one too many."""
        if self._buckets is None or self._buckets.take(client_id):
            return None
        return self._refusal(self._buckets.wait(client_id), self._buckets.full_in(client_id))

    def _refusal(self, wait: float, until_full: float) -> OAuthError:
        headers = (
            ("X-RateLimit-Limit", str(self._burst)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(math.ceil(time.time() + until_full))),
        )
        return too_many_requests(f"Too many {self._what}.", math.ceil(wait) or 1, headers)
