"""Times in `metadata`, where anybody who may write an object writes what they like: the API server hardly looks at them."""

from datetime import UTC, datetime


def moment_in(text: str | None) -> datetime | None:
    """The time that this is, in UTC; None where it is none, has no zone, or is before or after the calendar."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
