"""Events about agents whose organization has had its tokens of the day."""

from datetime import UTC, datetime, timedelta

from agent_operator.daily_limits import DailyLimitEvents
from agentidp.domain.resources import Agent
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import LastUsedReport
from tests.support.worlds import AGENT_ID, a_registered_agent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def report(**refused: datetime) -> LastUsedReport:
    """What a replica tells: the agent with this id was refused then; `unknown` is an id that no agent has."""
    ids = {AGENT_ID if name == "agent" else name: at for name, at in refused.items()}
    return LastUsedReport(replica="one", since=NOON - DAY, told=1, uses={}, over_daily_limit=ids)


def test_daily_limit_events_are_one_for_each_agent_and_day() -> None:
    """However many replicas report it; a report of yesterday, or of an agent that is gone, is no event (decision 44)."""
    events: list[tuple[Agent, Reason]] = []
    agent = a_registered_agent()
    limits = DailyLimitEvents({AGENT_ID: agent}.get, lambda about, reason, _: events.append((about, reason)))
    limits.add([report(agent=NOON), report(agent=NOON), report(unknown=NOON)], NOON)
    limits.add([report(agent=NOON)], NOON + timedelta(hours=1))
    assert events == [(agent, Reason.DAILY_LIMIT_REACHED)]
    limits.add([report(agent=NOON)], NOON + DAY)
    assert len(events) == 1
    limits.add([report(agent=NOON + DAY)], NOON + DAY)
    assert len(events) == 2
