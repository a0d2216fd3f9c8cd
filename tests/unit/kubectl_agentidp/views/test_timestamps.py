"""How moments read."""

from datetime import timedelta, timezone

import pytest
from msgspec.json import decode

from agentidp.domain.resources import Time
from kubectl_agentidp.views.timestamps import dated, relative, rounded, to_the_millisecond, utc
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


def test_a_moment_is_shown_in_utc() -> None:
    """Wherever it was written."""
    assert utc(NOW.astimezone(timezone(2 * HOUR))) == "2026-03-01T12:00:00Z"


def test_a_moment_for_a_resource_loses_less_than_a_millisecond() -> None:
    """And reads back."""
    written = to_the_millisecond(NOW + timedelta(microseconds=123_999))
    assert written == "2026-03-01T12:00:00.123Z"
    assert decode(f'"{written}"', type=Time) == NOW + timedelta(milliseconds=123)
