"""Moments and durations for people: rounded as kubectl rounds ages, and in UTC."""

from datetime import UTC, datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


def utc(moment: datetime) -> str:
    """To the second: `2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_millisecond(moment: datetime) -> str:
    """For resources: `2026-03-01T12:00:00.000Z`; never later than the moment, and by less than a millisecond earlier."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def relative(moment: datetime, now: datetime) -> str:
    """`in 5h`, `3d ago` or `now`."""
    distance = moment - now
    if abs(distance) < timedelta(seconds=1):
        return "now"
    return f"in {rounded(distance)}" if distance > timedelta() else f"{rounded(-distance)} ago"


def dated(moment: datetime, now: datetime) -> str:
    """Both: `2026-03-01T12:00:00Z (in 5h)`."""
    return f"{utc(moment)} ({relative(moment, now)})"


def rounded(duration: timedelta) -> str:
    """One unit, down: `119s`, `179m`, `47h`, `9d`."""
    seconds = int(duration.total_seconds())
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    if seconds < 3 * HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h"
    return f"{seconds // DAY}d"
