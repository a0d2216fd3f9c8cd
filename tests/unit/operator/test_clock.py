"""The clock: timestamps as resources hold them."""

from datetime import UTC

import msgspec

from agent_operator.clock import now
from agentidp.domain.resources import Time


def test_clock_is_in_utc_and_whole_milliseconds() -> None:
    """A timestamp that is written to a resource reads back equal."""
    timestamp = now()
    assert timestamp.tzinfo is UTC
    assert timestamp.microsecond % 1000 == 0
    assert msgspec.json.decode(msgspec.json.encode(timestamp), type=Time) == timestamp
