"""Fenced writer: writes of the leader only, bound to the version that they were decided from."""

import pytest
from msgspec.structs import replace

from agent_operator.leadership.leader_election import NotLeading
from agentidp.domain.resources import AgentStatus
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import AGENTS, SECRETS
from tests.support.fenced_writers import WriterOfAModel
from tests.support.worlds import AGENT_ID, a_secret, an_agent, an_issued_credential

SECRET = a_secret(an_issued_credential())
STATUS = AgentStatus(agent_id=AGENT_ID)


async def test_fenced_writer_writes_nothing_without_the_lease() -> None:
    """Every write is refused before it is sent."""
    world = WriterOfAModel(leads=False)
    agent = await world.model.create(AGENTS, an_agent())
    with pytest.raises(NotLeading):
        await world.writer.agent_status(agent, STATUS)
    with pytest.raises(NotLeading):
        await world.writer.create_secret(SECRET)
    assert world.model.all(AGENTS) == [agent]
    assert world.model.all(SECRETS) == []


async def test_fenced_writer_puts_the_answer_into_the_cache() -> None:
    """The next reconciliation sees its own write, also before the watch reports it."""
    world = WriterOfAModel()
    agent = await world.model.create(AGENTS, an_agent())
    written = await world.writer.agent_status(agent, STATUS)
    assert written.status == STATUS
    assert world.cache.agents.get(agent.key) == written


async def test_fenced_writer_meets_a_conflict_on_another_version() -> None:
    """Of two writers one fails."""
    world = WriterOfAModel()
    agent = await world.model.create(AGENTS, an_agent())
    world.model.change(AGENTS, agent.key, spec=replace(agent.spec, owner="somebody"))
    with pytest.raises(Conflict):
        await world.writer.agent_status(agent, STATUS)


async def test_fenced_writer_never_replaces_a_secret_that_it_creates() -> None:
    """A second create conflicts."""
    world = WriterOfAModel()
    created = await world.writer.create_secret(SECRET)
    with pytest.raises(Conflict):
        await world.writer.create_secret(SECRET)
    assert world.model.all(SECRETS) == [created]
