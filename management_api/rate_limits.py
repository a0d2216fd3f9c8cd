"""What a caller may spend of what all share: requests and changes by the second (token buckets), and objects in etcd.

| limit | counted for | where |
|---|---|---|
| reviews of tokens | the tenant whose token it is proven to be | `auth.token_reviews` |
| requests | each caller | `Reception.let_in`, as soon as it is known who they are |
| changes | the callers of a namespace together: an agent can make more agents, and ask with their tokens | `Reception.change` |
| objects | the namespace that they are in, where an agent makes more of them | `Reception.create` |
| secrets in the making | the callers of a namespace together | `changes.making` |
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from agentidp.runtime.token_buckets import TokenBuckets
from management_api.errors import ApiFailure, Code, forbidden


class RateLimit:
    """At most `burst` at once, and `per_second` on average, for each key; a rate of 0 is no limit."""

    def __init__(self, per_second: float, burst: int, message: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(per_second, burst, clock) if per_second else None
        self._burst = burst
        self._message = message

    def take(self, key: str) -> None:
        """Count one. Raises Failure where it is one too many."""
        if self._buckets is None or self._buckets.take(key):
            return
        wait = math.ceil(self._buckets.wait(key)) or 1
        headers = {
            "Retry-After": str(wait),
            "X-RateLimit-Limit": str(self._burst),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(math.ceil(time.time()) + wait),
        }
        raise ApiFailure(HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMIT_EXCEEDED, self._message, headers=headers)


class ObjectLimit:
    """At most `most` objects in a namespace; what is being created counts already."""

    def __init__(self, objects_in: Callable[[str], int], most: int) -> None:
        """`objects_in` tells how many objects are in a namespace."""
        self._objects_in = objects_in
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def room_in(self, namespace: str) -> Iterator[None]:
        """Room for one more while the block runs. Raises Failure where there is none."""
        if self._objects_in(namespace) + self._under_way[namespace] >= self._most:
            raise forbidden(
                f"Namespace {namespace} has {self._most} agents and credentials, and agents make no more there."
                " Delete some in the cluster (kubectl delete), or ask its administrator to allow more."
            )
        self._under_way[namespace] += 1
        try:
            yield
        finally:
            self._under_way[namespace] -= 1
            if not self._under_way[namespace]:
                del self._under_way[namespace]
