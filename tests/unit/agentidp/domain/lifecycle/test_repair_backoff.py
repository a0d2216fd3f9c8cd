"""Repair back-off: when the next repair may be made, and when no more is made."""

from datetime import timedelta

import pytest

from agentidp.domain.lifecycle.repair_backoff import REISSUE_WINDOW, current_window, is_conflict, next_repair_at, with_repair
from agentidp.domain.resources import Reissues
from tests.support.worlds import NOW


@pytest.mark.parametrize(("count", "seconds"), [(0, 0), (1, 1), (2, 3), (3, 7), (4, 15), (5, REISSUE_WINDOW.total_seconds())])
def test_next_repair_waits_longer_each_time(count: int, seconds: float) -> None:
    """The first is made at once; after the fifth the next window is waited for."""
    repairs = Reissues(count=count, since=NOW)
    assert next_repair_at(repairs) == NOW + timedelta(seconds=seconds)
    assert is_conflict(repairs) == (count == 5)


@pytest.mark.parametrize("passed", [REISSUE_WINDOW, -timedelta(seconds=1)], ids=["its time is over", "the clock was set back"])
def test_current_window_begins_a_new_count_after_the_former(passed: timedelta) -> None:
    """Also where no former one is known."""
    now = NOW + passed
    assert current_window(Reissues(count=5, since=NOW), now) == Reissues(count=0, since=now)
    assert current_window(None, now) == Reissues(count=0, since=now)


def test_current_window_keeps_its_count() -> None:
    """With one more for each repair."""
    repairs = with_repair(Reissues(count=2, since=NOW))
    assert current_window(repairs, NOW + timedelta(seconds=30)) == Reissues(count=3, since=NOW)
