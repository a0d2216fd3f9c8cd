"""How many tokens an organization's agents may get a day (`spec.limits.tokensPerDay`).

All processes of a service count together, from its start; another replica counts for itself. A day is one of UTC.
"""

import mmap
import time
from collections.abc import Callable

from agentidp.domain.clients import ClientOrganization
from agentidp.domain.oauth_errors import OAuthError, too_many_requests

SECONDS_PER_DAY = 86_400
SLOTS = 4_096
PROBES = 8


class DailyLimits:
    """A count for each organization that has a limit, in memory that is shared by processes forked after it was made.

    An organization that finds no slot of its own is let through: none has to suffer for another.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._organizations, self._days, self._counts = (memoryview(mmap.mmap(-1, SLOTS * 8)).cast("q") for _ in range(3))

    def take(self, organization: ClientOrganization | None) -> OAuthError | None:
        """Count one token; the refusal where it is one too many."""
        limit = organization.tokens_per_day if organization else None
        if organization is None or limit is None:
            return None
        now = int(self._clock())
        slot = self._slot(hash(organization.uid), now // SECONDS_PER_DAY)
        if slot is None:
            return None
        if self._counts[slot] >= limit:
            return too_many_requests("The organization has had its tokens of today.", SECONDS_PER_DAY - now % SECONDS_PER_DAY)
        self._counts[slot] += 1
        return None

    def _slot(self, fingerprint: int, day: int) -> int | None:
        """The organization's own slot of today, or the first that was not used today."""
        slots = [(fingerprint + probe) % SLOTS for probe in range(PROBES)]
        for slot in slots:
            if self._organizations[slot] == fingerprint and self._days[slot] == day:
                return slot
        free = next((slot for slot in slots if self._days[slot] != day), None)
        if free is not None:
            self._organizations[free], self._days[free], self._counts[free] = fingerprint, day, 0
        return free
