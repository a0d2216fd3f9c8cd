"""Events about agents that got no token because their organization had had its tokens of the day.

The token service counts, and tells the operator in its reports of what was used. It has no right to write events itself.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from agentidp.domain.resources import Agent
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import LastUsedReport

NOTE = (
    "It got no token: the agents of its Organization have had those of this day (spec.limits.tokensPerDay). They get more"
    " after midnight UTC, or when an administrator raises the limit."
)
Tell = Callable[[Agent, Reason, str], None]


class DailyLimitEvents:
    """One event for each agent and day, however many replicas report it and however often. Forgets the day before."""

    def __init__(self, agent_of: Callable[[str], Agent | None], tell: Tell) -> None:
        self._agent_of = agent_of
        self._tell = tell
        self._day = date.min
        self._told: set[str] = set()

    def add(self, reports: Iterable[LastUsedReport], now: datetime) -> None:
        """What replicas have just told; what happened on another day is no news."""
        if now.date() != self._day:
            self._day, self._told = now.date(), set()
        refused = {agent_id for report in reports for agent_id, at in report.over_daily_limit.items() if at.date() == self._day}
        for agent_id in refused - self._told:
            if agent := self._agent_of(agent_id):
                self._told.add(agent_id)
                self._tell(agent, Reason.DAILY_LIMIT_REACHED, NOTE)
