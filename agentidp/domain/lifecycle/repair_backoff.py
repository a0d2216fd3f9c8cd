"""Repair back-off: when to repair an object that another writer changes again, and when to stop.

Each repair waits longer, and after the fifth one the object is left to the other writer until the next window: else two writers
would overwrite each other without end. It applies to the Secret of a credential, and to every status.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.resources import Reissues

MAX_REISSUES = 5
REISSUE_WINDOW = timedelta(minutes=10)
REISSUE_BACKOFF = timedelta(seconds=1)


def current_window(repairs: Reissues | None, now: datetime) -> Reissues:
    """Return the count of this window. A window ends after its time, or when the clock is set back."""
    return repairs if repairs and repairs.since <= now < repairs.since + REISSUE_WINDOW else Reissues(count=0, since=now)


def is_conflict(repairs: Reissues) -> bool:
    """Whether another writer has undone so many repairs that another one does not help."""
    return repairs.count >= MAX_REISSUES


def next_repair_at(repairs: Reissues) -> datetime:
    """Return the time of the next repair: at once, then 1, 3, 7 and 15 seconds after the first, then in the next window."""
    return repairs.since + (REISSUE_WINDOW if is_conflict(repairs) else REISSUE_BACKOFF * (2**repairs.count - 1))


def with_repair(repairs: Reissues) -> Reissues:
    """Return the count with one more repair."""
    return replace(repairs, count=repairs.count + 1)
