"""Repair back-off: repairs come later each time, and stop for the rest of a window (`docs/concepts.md`, Drift)."""

from agentidp.domain.lifecycle.repair_backoff import in_this_window, is_contested, left_alone_until, mended_again
from tests.support.worlds import HOUR, MINUTE, NOW, SECOND


def test_repair_backoff_grows_and_ends_with_the_window() -> None:
    """The first repair is immediate, the next ones come 1, 3, 7 and 15 seconds after it, then none for ten minutes."""
    count, waits = in_this_window(None, NOW), []
    while not is_contested(count):
        waits.append(left_alone_until(count) - NOW)
        count = mended_again(count)
    assert waits == [0 * SECOND, 1 * SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND]
    assert left_alone_until(count) == NOW + 10 * MINUTE


def test_repair_backoff_starts_again_after_the_window() -> None:
    """Also after the clock was set back."""
    count = mended_again(in_this_window(None, NOW))
    assert in_this_window(count, NOW + MINUTE) == count
    assert in_this_window(count, NOW + 10 * MINUTE).count == 0
    assert in_this_window(count, NOW - HOUR).count == 0
