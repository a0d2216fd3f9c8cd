"""Times as this API writes and reads them: RFC 3339, written with milliseconds and Z."""

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
LAST_YEAR = 2999
"""What the resources take."""


def shown(moment: datetime) -> str:
    """As answers have it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_if_any(moment: datetime | None) -> str | None:
    """The same, or null."""
    return shown(moment) if moment else None


def future(text: str) -> datetime:
    """A time to come. Raises ValueError, in words for the caller."""
    moment = _parsed(text)
    if moment is None:
        raise ValueError("it should be a time like 2030-01-31T12:00:00Z (RFC 3339)")
    if moment <= datetime.now(UTC):
        raise ValueError("it should be in the future")
    if moment.year > LAST_YEAR:
        raise ValueError(f"it should not be after the year {LAST_YEAR}")
    return moment


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) if _RFC3339.fullmatch(text) else None
    except (ValueError, OverflowError):  # a day that is in no calendar, or before or after all of them
        return None
