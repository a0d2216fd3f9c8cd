"""The time, as resources write it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Now, in UTC and whole milliseconds, so that what was written reads back equal."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
