"""What a caller may spend: the object that holds one limit refuses what is too much, and says when to come back."""

from http import HTTPStatus

import pytest

from management_api.errors import ApiFailure, Code
from management_api.http.rate_limits import ObjectLimit, RateLimit
from tests.support.clocks import ManualClock


def test_a_rate_is_told_by_the_contract() -> None:
    """429 with Retry-After and X-RateLimit headers; each key has its own."""
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


def test_a_rate_of_0_is_no_limit() -> None:
    """As the settings promise."""
    limit = RateLimit(0, 1, "Too many.")
    for _ in range(1_000):
        limit.take("a")


def test_what_is_being_created_counts_already() -> None:
    """Else many at once would pass; what came to nothing leaves its room."""
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
