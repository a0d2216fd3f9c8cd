"""Durations as resources and settings write them: `720h`, `1h30m`, `45s` (the subset of Go's notation that the CRDs admit)."""

import re
from datetime import timedelta

_NOTATION = re.compile(r"(?=.)(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")


def parse_duration(text: str) -> timedelta:
    """The duration that `text` names. Raises ValueError, quoting the text, where it names none."""
    match = _NOTATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration: write hours, minutes and seconds in this order, like 720h or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """What `parse_duration` reads as this, in whole seconds."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
