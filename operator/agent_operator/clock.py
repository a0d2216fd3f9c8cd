"""The time as resources write it: UTC, in whole milliseconds."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC and whole milliseconds, so that a written timestamp reads back equal."""
    exact = datetime.now(UTC)
    return exact.replace(microsecond=exact.microsecond // 1000 * 1000)
