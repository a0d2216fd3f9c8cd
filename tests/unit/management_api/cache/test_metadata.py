"""Annotations of this API, and timestamps in metadata that a tenant may write."""

from datetime import UTC, datetime, timedelta

import pytest

from management_api.cache.metadata import CHANGED_AT, CHANGED_BY, REQUEST_ID, audit_annotations, micro_time, parse_timestamp
from tests.support.worlds import NOW

TIMESTAMPS: dict[str | None, datetime | None] = {
    NOW.isoformat(): NOW,
    "2026-03-01T12:00:00": None,
    "yesterday": None,
    "": None,
    None: None,
    "0000-01-01T00:00:00Z": None,
    "0001-01-01T00:00:00+23:59": None,
    "9999-12-31T23:59:59-23:59": None,
}


@pytest.mark.parametrize("text", TIMESTAMPS)
def test_timestamp_in_metadata_is_a_time_or_none(text: str | None) -> None:
    """Also where the text has no zone, or names a time that no calendar has."""
    assert parse_timestamp(text) == TIMESTAMPS[text]


def test_micro_time_is_read_back() -> None:
    """To the microsecond, which tells two changes of one second apart."""
    assert parse_timestamp(micro_time(NOW + timedelta(microseconds=1))) == NOW + timedelta(microseconds=1)


def test_audit_annotations_name_caller_request_and_time() -> None:
    """As the REST guide promises of every change."""
    before = datetime.now(UTC)
    annotations = audit_annotations("agent:a", "a-request")
    assert (annotations[CHANGED_BY], annotations[REQUEST_ID]) == ("agent:a", "a-request")
    assert before <= (parse_timestamp(annotations[CHANGED_AT]) or before) <= datetime.now(UTC)
