"""How moments read."""

from datetime import timedelta

import pytest

from kubectl_agentidp.views.timestamps import dated, relative, rounded
from tests.support.worlds import DAY, HOUR, MINUTE, NOW, SECOND


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (119 * SECOND, "119s"),
        (120 * SECOND, "2m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR - SECOND, "179m"),
        (3 * HOUR, "3h"),
        (2 * DAY - SECOND, "47h"),
        (2 * DAY, "2d"),
        (400 * DAY, "400d"),
    ],
)
def test_a_duration_has_one_unit(duration: timedelta, text: str) -> None:
    """Rounded down, as kubectl rounds an age."""
    assert rounded(duration) == text


def test_a_moment_is_told_from_now() -> None:
    """What has passed is not mistaken for what will come."""
    assert relative(NOW + 5 * HOUR, NOW) == "in 5h"
    assert relative(NOW - 5 * HOUR, NOW) == "5h ago"
    assert relative(NOW + SECOND / 2, NOW) == "now"
    assert dated(NOW + 5 * HOUR, NOW) == "2026-03-01T17:00:00Z (in 5h)"
