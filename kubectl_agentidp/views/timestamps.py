"""Moments and durations for people: rounded as kubectl rounds ages, and in UTC."""

from datetime import datetime, timedelta

from agentidp.domain.resources.meta import rfc3339

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


def relative(moment: datetime, now: datetime) -> str:
    """`in 5h`, `3d ago` or `now`."""
    distance = moment - now
    if abs(distance) < timedelta(seconds=1):
        return "now"
    return f"in {rounded(distance)}" if distance > timedelta() else f"{rounded(-distance)} ago"


def dated(moment: datetime, now: datetime) -> str:
    """Both: `2026-03-01T12:00:00Z (in 5h)`."""
    return f"{rfc3339(moment)} ({relative(moment, now)})"


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
