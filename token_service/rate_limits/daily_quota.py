"""Daily quota: how many tokens the agents of an organization may get a day (`spec.limits.tokensPerDay`).

Each replica counts for itself, from its start. A day is a day of UTC. Each rejection is reported: nothing in the cluster
could tell it otherwise.
"""

import time
from collections.abc import Callable

from agentidp.domain.identity.clients import ClientAgent, ClientOrganization
from agentidp.domain.tokens.oauth_errors import too_many_requests

SECONDS_PER_DAY = 86_400

Rejected = Callable[[ClientAgent, ClientOrganization, bool], None]
"""Called for each rejection: the agent, its organization, and whether it is the agent's first on this day."""


class DailyQuota:
    """Today's count for each organization with a limit, by its uid; only administrators create organizations."""

    def __init__(self, clock: Callable[[], float] = time.time, rejected: Rejected | None = None) -> None:
        self._clock = clock
        self._rejected = rejected
        self._day = 0
        self._counts: dict[str, int] = {}
        self._agents: set[str] = set()
        """The agents that were rejected today."""

    def take(self, agent: ClientAgent, organization: ClientOrganization | None) -> None:
        """Count one token for an agent of the organization. Raises OAuthError where it is one too many."""
        limit = organization.tokens_per_day if organization else None
        if organization is None or limit is None:
            return
        day, second = divmod(int(self._clock()), SECONDS_PER_DAY)
        if day != self._day:
            self._day, self._counts, self._agents = day, {}, set()
        count = self._counts.get(organization.uid, 0)
        if count >= limit:
            self._report(agent, organization)
            raise too_many_requests("The organization has had its tokens of today.", SECONDS_PER_DAY - second)
        self._counts[organization.uid] = count + 1

    def _report(self, agent: ClientAgent, organization: ClientOrganization) -> None:
        first = agent.agent_id not in self._agents
        self._agents.add(agent.agent_id)
        if self._rejected:
            self._rejected(agent, organization, first)
