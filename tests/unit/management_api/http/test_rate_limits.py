"""Rate limits and the limit of objects in a namespace."""

from http import HTTPStatus

import pytest

from management_api.errors import ApiFailure, Code
from management_api.http.rate_limits import ObjectLimit, RateLimit
from tests.support.clocks import ManualClock


def test_rate_limit_answers_429_with_its_headers() -> None:
    """RFC 6585, section 4. Each key has a bucket of its own."""
    clock = ManualClock()
    limit = RateLimit(0.5, 2, "Too many.", clock)
    limit.take("a")
    limit.take("a")
    with pytest.raises(ApiFailure) as raised:
        limit.take("a")
    assert (raised.value.status, raised.value.code) == (HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMIT_EXCEEDED)
    assert raised.value.headers["Retry-After"] == "2"
    assert raised.value.headers["X-RateLimit-Limit"] == "2"
    limit.take("b")
    clock.now += 2
    limit.take("a")


def test_rate_limit_of_0_is_none() -> None:
    """The settings promise it."""
    limit = RateLimit(0, 1, "Too many.")
    for _ in range(1_000):
        limit.take("a")


def test_object_limit_counts_objects_that_are_being_created() -> None:
    """Else many concurrent requests would pass. A creation that fails frees its slot."""
    there = {"full": 2, "half": 1}
    limit = ObjectLimit(lambda namespace: there.get(namespace, 0), 2)
    with pytest.raises(ApiFailure), limit.slot("full"):
        pass
    with limit.slot("half"):
        with pytest.raises(ApiFailure) as raised, limit.slot("half"):
            pass
        with limit.slot("empty"), limit.slot("empty"):
            pass
    assert (raised.value.status, raised.value.code) == (HTTPStatus.FORBIDDEN, Code.FORBIDDEN)
    with limit.slot("half"):
        pass
