"""How many requests each caller may make (token buckets), counted once it is known who they are."""

import math
import time
from http import HTTPStatus

from agentidp.serving.buckets import Buckets
from management_api.failures import Code, Failure


class CallerLimits:
    """So many at once, and so many a second; a rate of 0 is no limit."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._buckets = Buckets(per_second, burst) if per_second else None
        self._burst = burst

    def take(self, caller: str) -> None:
        """Count one request. Raises Failure where it is one too many."""
        if self._buckets is None or self._buckets.take(caller):
            return
        wait = math.ceil(self._buckets.wait(caller)) or 1
        headers = {
            "Retry-After": str(wait),
            "X-RateLimit-Limit": str(self._burst),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(math.ceil(time.time()) + wait),
        }
        message = "Too many requests of this caller."
        raise Failure(HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMIT_EXCEEDED, message, headers=headers)
