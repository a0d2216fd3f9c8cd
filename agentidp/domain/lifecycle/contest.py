"""Who else writes the Secret: how often it was mended lately, how long to leave it alone now, and when that is enough.

A mended Secret that is changed again is mended later each time, and after the fifth time left alone: two writers that do not
agree would go on for ever.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.lifecycle.observed import Observed
from agentidp.domain.resources import Reissues

MAX_REISSUES = 5
REISSUE_WINDOW = timedelta(minutes=10)
REISSUE_BACKOFF = timedelta(seconds=1)


def mended_lately(seen: Observed, now: datetime) -> Reissues:
    """How often in this window. A new spec and the end of the window begin another, and so does a clock set back."""
    known = seen.status.reissues
    if known and not seen.spec_is_new and known.since <= now < known.since + REISSUE_WINDOW:
        return known
    return Reissues(count=0, since=now)


def is_contested(lately: Reissues) -> bool:
    """Whether the Secret was mended so often that mending it does not help."""
    return lately.count >= MAX_REISSUES


def left_alone_until(lately: Reissues) -> datetime:
    """When it may be mended again: at once the first time, then 1, 3, 7 and 15 seconds after that, then in the next window."""
    return lately.since + (REISSUE_WINDOW if is_contested(lately) else REISSUE_BACKOFF * (2**lately.count - 1))


def mended_again(lately: Reissues) -> Reissues:
    """The count with this time."""
    return replace(lately, count=lately.count + 1)
