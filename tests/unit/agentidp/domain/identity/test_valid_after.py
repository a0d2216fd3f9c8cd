"""`spec.tokensValidAfter` in the future: how long a request waits, and when it is refused instead."""

from datetime import datetime, timedelta

import pytest

from agentidp.domain.identity.valid_after import (
    PATIENCE_SECONDS,
    no_token_before,
    seconds_until_valid,
    tokens_from,
    whole_second,
)
from tests.support.worlds import HOUR, NOW, SECOND

WITHIN_PATIENCE = timedelta(seconds=PATIENCE_SECONDS - 1)


@pytest.mark.parametrize("valid_after", [None, NOW - HOUR, NOW])
def test_valid_after_in_the_past_lets_a_token_be_issued(valid_after: datetime | None) -> None:
    """A token of the same second is good: `iat` has no fractions."""
    timestamp = valid_after.timestamp() if valid_after else None
    assert seconds_until_valid(timestamp, NOW.timestamp()) == 0
    assert no_token_before(valid_after, NOW) is None


def test_valid_after_in_the_near_future_lets_a_request_wait() -> None:
    """`docs/concepts.md`: a clock may be up to five seconds ahead."""
    near = NOW + WITHIN_PATIENCE
    assert 0 < seconds_until_valid(near.timestamp(), NOW.timestamp()) <= PATIENCE_SECONDS
    assert no_token_before(near, NOW) is None
    assert tokens_from(near, NOW) is None


def test_valid_after_in_the_far_future_refuses_tokens_until_a_whole_second() -> None:
    """The time that a caller gets is the first second at which a token is good."""
    far = NOW + HOUR + SECOND / 2
    assert no_token_before(far, NOW) == NOW + HOUR + SECOND == whole_second(far.timestamp())


def test_valid_after_is_decided_again_when_requests_may_wait() -> None:
    """At that time `no_token_before` has become None."""
    again = tokens_from(NOW + HOUR, NOW)
    assert again
    assert no_token_before(NOW + HOUR, again) is None
    assert no_token_before(NOW + HOUR, again - 2 * SECOND)
