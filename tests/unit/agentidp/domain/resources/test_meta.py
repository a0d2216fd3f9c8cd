"""What all kinds share: durations and RFC 3339 text, as resources and settings write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode

from agentidp.domain.resources.meta import Time, format_duration, parse_duration, parse_rfc3339, rfc3339

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
def test_parse_duration_adds_up_its_units(text: str, meaning: timedelta) -> None:
    """Hours, minutes and seconds add up."""
    assert parse_duration(text) == meaning


@pytest.mark.parametrize("text", NONE_AT_ALL.values(), ids=NONE_AT_ALL)
def test_parse_duration_quotes_what_is_no_duration(text: str) -> None:
    """The message shows what was written and how it should be."""
    with pytest.raises(ValueError, match="is not a duration") as raised:
        parse_duration(text)
    assert repr(text) in str(raised.value)


@given(hours=st.integers(0, 10**6), minutes=st.integers(0, 10**6), seconds=st.integers(0, 10**6))
def test_parse_duration_takes_any_three_numbers(hours: int, minutes: int, seconds: int) -> None:
    """As many as the CRDs admit."""
    expected = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == expected


@given(st.text())
def test_parse_duration_of_any_text_raises_value_error_at_most(text: str) -> None:
    """Nothing else is ever raised, so whoever reads settings catches one error."""
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


@given(st.integers(0, 10**9))
def test_format_duration_is_read_as_the_same(seconds: int) -> None:
    """So that a default in a help text can be copied."""
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


def test_rfc3339_is_in_utc() -> None:
    """Wherever the timestamp comes from (RFC 3339, section 4.1)."""
    noon = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(noon) == "2026-03-01T12:00:00Z"


def test_rfc3339_loses_less_than_its_precision() -> None:
    """The text is never later than the timestamp, and reads back."""
    timestamp = datetime(2026, 3, 1, 12, 0, 0, 123_999, tzinfo=UTC)
    assert rfc3339(timestamp, "milliseconds") == "2026-03-01T12:00:00.123Z"
    assert rfc3339(timestamp, "microseconds") == "2026-03-01T12:00:00.123999Z"
    assert rfc3339(timestamp) == "2026-03-01T12:00:00Z"
    assert decode(f'"{rfc3339(timestamp, "milliseconds")}"', type=Time) == timestamp.replace(microsecond=123_000)


@given(st.datetimes(timezones=st.just(UTC)))
def test_parse_rfc3339_reads_what_rfc3339_writes(timestamp: datetime) -> None:
    """To the microsecond, in any year."""
    assert parse_rfc3339(rfc3339(timestamp, "microseconds")) == timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00",  # no offset
        "2026-03-01",
        "2026-03-01 12:00:00Z",
        "20260301T120000Z",
        "2026-W09-7T12:00:00Z",
        "2026-02-30T12:00:00Z",  # in no calendar
        "0001-01-01T00:00:00+01:00",  # before the year 1 in UTC
        "٢٠٢٦-03-01T12:00:00Z",
        "tomorrow",
        "",
    ],
)
def test_parse_rfc3339_takes_nothing_else(text: str) -> None:
    """Other notations of ISO 8601 are not RFC 3339 (section 5.6)."""
    assert parse_rfc3339(text) is None


def test_parse_rfc3339_takes_lower_case_and_offsets() -> None:
    """Section 5.6: "T" and "Z" may be lower case."""
    assert parse_rfc3339("2026-03-01t12:00:00.5z") == datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    assert parse_rfc3339("2026-03-01T14:00:00+02:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)
