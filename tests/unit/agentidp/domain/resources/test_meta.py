"""Durations: what resources and settings may write, and what it means."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.resources.meta import format_duration, parse_duration

MEANINGS = {
    "a month in hours": ("720h", timedelta(days=30)),
    "hours and minutes": ("1h30m", timedelta(hours=1, minutes=30)),
    "seconds alone": ("45s", timedelta(seconds=45)),
    "all three": ("1h2m3s", timedelta(hours=1, minutes=2, seconds=3)),
    "more than fits the unit": ("90m", timedelta(hours=1, minutes=30)),
    "leading zeros": ("007s", timedelta(seconds=7)),
    "nothing of it": ("0s", timedelta()),
}

NONE_AT_ALL = {
    "nothing": "",
    "a number without a unit": "30",
    "a unit without a number": "h",
    "units in another order": "30m1h",
    "a unit twice": "1h1h",
    "a sign": "-1h",
    "a fraction, which Go would take": "1.5h",
    "a unit that Go knows and nobody rotates by": "100ms",
    "days, which Go does not know": "30d",
    "space around it": " 1h",
    "a line break after it": "1h\n",
    "digits of another script": "٣h",
    "more than a duration can be": "999999999999h",
}


@pytest.mark.parametrize(("text", "meaning"), MEANINGS.values(), ids=MEANINGS)
def test_durations(text: str, meaning: timedelta) -> None:
    """Hours, minutes and seconds add up."""
    assert parse_duration(text) == meaning


@pytest.mark.parametrize("text", NONE_AT_ALL.values(), ids=NONE_AT_ALL)
def test_what_is_no_duration_is_quoted(text: str) -> None:
    """The message shows what was written and how it should be."""
    with pytest.raises(ValueError, match="is not a duration") as raised:
        parse_duration(text)
    assert repr(text) in str(raised.value)


@given(hours=st.integers(0, 10**6), minutes=st.integers(0, 10**6), seconds=st.integers(0, 10**6))
def test_any_three_numbers_are_a_duration(hours: int, minutes: int, seconds: int) -> None:
    """As many as the CRDs admit."""
    expected = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == expected


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """Nothing else is ever raised, so whoever reads settings catches one error."""
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


@given(st.integers(0, 10**9))
def test_what_is_written_is_read_as_the_same(seconds: int) -> None:
    """So that a default in a help text can be copied."""
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
