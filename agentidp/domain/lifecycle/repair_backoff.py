"""Who else writes what the operator writes: how often it was mended, how long to leave it alone, and when that is enough.

What is mended and changed again is mended later each time, and after the fifth time left alone: two writers that do not agree
would go on for ever. So it is with a credential's Secret, and with every status.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.resources import Reissues

MAX_REISSUES = 5
REISSUE_WINDOW = timedelta(minutes=10)
REISSUE_BACKOFF = timedelta(seconds=1)


def in_this_window(known: Reissues | None, now: datetime) -> Reissues:
    """Return the count of this window. A window ends after its time, or when the clock is set back."""
    return known if known and known.since <= now < known.since + REISSUE_WINDOW else Reissues(count=0, since=now)


def is_contested(lately: Reissues) -> bool:
    """Whether another writer has undone so many repairs that another one does not help."""
    return lately.count >= MAX_REISSUES


def left_alone_until(lately: Reissues) -> datetime:
    """Return the time of the next repair: at once, then 1, 3, 7 and 15 seconds after the first, then in the next window."""
    return lately.since + (REISSUE_WINDOW if is_contested(lately) else REISSUE_BACKOFF * (2**lately.count - 1))


def mended_again(lately: Reissues) -> Reissues:
    """Return the count with one more repair."""
    return replace(lately, count=lately.count + 1)
