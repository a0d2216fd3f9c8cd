"""The operator's clock, which reads back equal from resources."""

from datetime import UTC

import msgspec

from agent_operator.clock import now
from agentidp.domain.resources import Time


def test_now_reads_back_equal() -> None:
    """A status that was written with it is the same status when it is read: RFC 3339, whole milliseconds, UTC."""
    timestamp = now()
    assert timestamp.tzinfo is UTC
    assert timestamp.microsecond % 1000 == 0
    assert msgspec.json.decode(msgspec.json.encode(timestamp), type=Time) == timestamp
