"""`spec.tokensValidAfter` in the future: a token that is issued before that time would be inactive, so none is issued.

The clock of whoever wrote "now" may be a few seconds ahead of ours. So the token service lets a request wait for a time that is
near, and refuses it where the time is further ahead. The operator and the kubectl plugin tell what it would do.
"""

import math
from datetime import UTC, datetime, timedelta

PATIENCE_SECONDS = 6.5
"""How long one request waits: five seconds, what the last of them lacks to a whole second, and a bit for adjusted clocks."""
TIMER_SECONDS = 0.001
"""Timers may be early by that."""


def seconds_until_valid(valid_after: float | None, now: float) -> float:
    """How long a token that is issued now would be inactive (RFC 7662, section 2.2); 0 where it is active.

    `iat` has no fractions (RFC 9068, section 2.2).
    """
    return 0.0 if valid_after is None or valid_after <= int(now) else math.ceil(valid_after) - now + TIMER_SECONDS


def no_token_before(valid_after: datetime | None, now: datetime) -> datetime | None:
    """The time before which no token is issued, however long a request waits; None where one is issued now."""
    if valid_after is None or seconds_until_valid(valid_after.timestamp(), now.timestamp()) <= PATIENCE_SECONDS:
        return None
    return whole_second(valid_after.timestamp())


def tokens_from(valid_after: datetime | None, now: datetime) -> datetime | None:
    """When `no_token_before` becomes None; None where it is None now."""
    valid = no_token_before(valid_after, now)
    return valid and valid + timedelta(seconds=2 * TIMER_SECONDS - PATIENCE_SECONDS)


def whole_second(timestamp: float) -> datetime:
    """The first whole second that is not before this time: tokens that are issued from it on are active."""
    return datetime.fromtimestamp(math.ceil(timestamp), UTC)
