"""Repair back-off: repairs come later each time, and stop for the rest of a window (`docs/concepts.md`, Drift)."""

from agentidp.domain.lifecycle.repair_backoff import current_window, is_conflict, next_repair_at, with_repair
from tests.support.worlds import HOUR, MINUTE, NOW, SECOND


def test_repair_backoff_grows_and_ends_with_the_window() -> None:
    """The first repair is immediate, the next ones come 1, 3, 7 and 15 seconds after it, then none for ten minutes."""
    count, waits = current_window(None, NOW), []
    while not is_conflict(count):
        waits.append(next_repair_at(count) - NOW)
        count = with_repair(count)
    assert waits == [0 * SECOND, 1 * SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND]
    assert next_repair_at(count) == NOW + 10 * MINUTE


def test_repair_backoff_starts_again_after_the_window() -> None:
    """Also after the clock was set back."""
    count = with_repair(current_window(None, NOW))
    assert current_window(count, NOW + MINUTE) == count
    assert current_window(count, NOW + 10 * MINUTE).count == 0
    assert current_window(count, NOW - HOUR).count == 0
