"""Counts of credentials."""

from agent_operator.telemetry.counts import SLICE, count_objects
from tests.support.worlds import MINUTE, NOW, SECOND, a_rotation, an_issued_credential, restated


async def test_counts_are_complete_beyond_one_slice() -> None:
    """A turn of the event loop in between loses none."""
    counts = await count_objects([an_issued_credential()] * (SLICE + 1), NOW)
    assert counts.standings == {("Active", "Issued"): SLICE + 1}


async def test_counts_of_rotations_are_by_the_time_that_is_left() -> None:
    """Due now, overdue after a minute, upcoming within an hour and within a day."""
    dues = (NOW - 2 * MINUTE, NOW - SECOND, NOW + MINUTE, NOW + 120 * MINUTE)
    credentials = [restated(an_issued_credential(rotation=a_rotation("720h")), next_rotation_at=due) for due in dues]
    counts = await count_objects(credentials, NOW)
    assert (counts.due, counts.overdue) == (2, 1)
    assert counts.upcoming == {"1h": 1, "24h": 2}
