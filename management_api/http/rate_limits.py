"""Rate limits: what one caller, or the callers of one namespace, may take of what all share.

| limit | counted for | taken in |
|---|---|---|
| TokenReviews a second | the tenant whose token it is proven to be | `auth.token_reviews` |
| requests a second | each caller | `endpoints.dependencies`, once the caller is authenticated |
| changes a second | all callers of a namespace, since an agent can register more agents | `Call.change`, `Call.create` |
| objects in etcd | the namespace in which an agent creates more of them | `Call.create` |
| secrets that wait for a thread | all callers of a namespace | `operations.secret_generator` |

`token_service.rate_limits` has the limits of the token service.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from agentidp.runtime.pools.group_counts import GroupCounts
from agentidp.runtime.token_buckets import TokenBuckets
from management_api.errors import ApiFailure, Code, forbidden


class RateLimit:
    """A token bucket for each key: at most `burst` at once, and `per_second` on average. A rate of 0 is no limit."""

    def __init__(self, per_second: float, burst: int, message: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(per_second, burst, clock) if per_second else None
        self._burst = burst
        self._message = message

    def take(self, key: str) -> None:
        """Take one token. Raises ApiFailure, 429 with Retry-After (RFC 6585, section 4), where none is left."""
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
    """At most `max_objects` in a namespace; an object that is being created counts already."""

    def __init__(self, objects_in: Callable[[str], int], max_objects: int) -> None:
        """`objects_in` returns how many objects are in a namespace."""
        self._objects_in = objects_in
        self._max_objects = max_objects
        self._being_created = GroupCounts()

    @contextmanager
    def slot(self, namespace: str) -> Iterator[None]:
        """Reserve one more object while the block runs. Raises ApiFailure where the namespace is full."""
        if self._objects_in(namespace) + self._being_created[namespace] >= self._max_objects:
            raise forbidden(
                f"Namespace {namespace} has {self._max_objects} agents and credentials, and agents make no more there."
                " Delete some in the cluster (kubectl delete), or ask its administrator to allow more."
            )
        self._being_created.add(namespace)
        try:
            yield
        finally:
            self._being_created.remove(namespace)


@dataclass(frozen=True)
class RateLimits:
    """The limits of requests: see the table of this module."""

    requests: RateLimit
    changes: RateLimit
    objects: ObjectLimit
