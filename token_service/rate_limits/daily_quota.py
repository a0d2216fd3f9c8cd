"""Daily quota: how many tokens the agents of an organization may get a day (`spec.limits.tokensPerDay`).

Each replica counts for itself, from its start. A day is a day of UTC.
"""

import time
from collections.abc import Callable

from agentidp.domain.identity.clients import ClientOrganization
from agentidp.domain.tokens.oauth_errors import too_many_requests

SECONDS_PER_DAY = 86_400


class DailyQuota:
    """Today's count for each organization with a limit, by its uid; only administrators create organizations."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._day = 0
        self._counts: dict[str, int] = {}

    def take(self, organization: ClientOrganization | None) -> None:
        """Count one token. Raises OAuthError where it is one too many."""
        limit = organization.tokens_per_day if organization else None
        if organization is None or limit is None:
            return
        day, second = divmod(int(self._clock()), SECONDS_PER_DAY)
        if day != self._day:
            self._day, self._counts = day, {}
        count = self._counts.get(organization.uid, 0)
        if count >= limit:
            raise too_many_requests("The organization has had its tokens of today.", SECONDS_PER_DAY - second)
        self._counts[organization.uid] = count + 1
