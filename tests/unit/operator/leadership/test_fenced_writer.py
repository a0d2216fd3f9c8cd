"""Fenced writer: writes of the leader only, bound to the version that they were decided from."""

from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.leadership.leader_election import NotLeading
from agentidp.domain.resources import AgentStatus, Secret, SecretMeta
from agentidp.kube.errors import Conflict, Invalid
from agentidp.kube.kinds import AGENTS, SECRETS
from tests.support.fenced_writers import WriterOfAModel
from tests.support.operators import Leader, a_leader
from tests.support.worlds import AGENT_ID, a_secret, an_agent, an_issued_credential

SECRET = a_secret(an_issued_credential())
STATUS = AgentStatus(agent_id=AGENT_ID)


async def test_fenced_writer_writes_nothing_without_the_lease() -> None:
    """Every write is refused before it is sent."""
    cache = WriterOfAModel(leads=False)
    agent = await cache.model.create(AGENTS, an_agent())
    with pytest.raises(NotLeading):
        await cache.writer.agent_status(agent, STATUS)
    with pytest.raises(NotLeading):
        await cache.writer.create_secret(SECRET)
    assert cache.model.all(AGENTS) == [agent]
    assert cache.model.all(SECRETS) == []


async def test_fenced_writer_puts_the_answer_into_the_cache() -> None:
    """The next reconciliation sees its own write, also before the watch reports it."""
    cache = WriterOfAModel()
    agent = await cache.model.create(AGENTS, an_agent())
    written = await cache.writer.agent_status(agent, STATUS)
    assert written.status == STATUS
    assert cache.cache.agents.get(agent.key) == written


async def test_fenced_writer_meets_a_conflict_on_another_version() -> None:
    """Of two writers one fails."""
    cache = WriterOfAModel()
    agent = await cache.model.create(AGENTS, an_agent())
    cache.model.change(AGENTS, agent.key, spec=replace(agent.spec, owner="somebody"))
    with pytest.raises(Conflict):
        await cache.writer.agent_status(agent, STATUS)


async def test_fenced_writer_never_replaces_a_secret_that_it_creates() -> None:
    """A second create conflicts."""
    cache = WriterOfAModel()
    created = await cache.writer.create_secret(SECRET)
    with pytest.raises(Conflict):
        await cache.writer.create_secret(SECRET)
    assert cache.model.all(SECRETS) == [created]


FOREIGN_META = SecretMeta(name="screener", namespace="talent", labels={"theirs": "yes"})


async def a_stored_secret(leader: Leader, **fields: Any) -> Secret:
    """As the API server has it after these were set by somebody."""
    created = await leader.writer.create_secret(Secret(metadata=FOREIGN_META, data={"value": b"1"}))
    changed: Secret = leader.cluster.change(SECRETS, created.key, **fields)
    return changed


async def test_fenced_writer_recreates_an_immutable_secret_with_what_others_set() -> None:
    """Decision 43: another object, with the new data."""
    leader = a_leader()
    stored = await a_stored_secret(leader, immutable=True)
    wanted = replace(stored, data={"value": b"2"}, metadata=replace(stored.metadata, labels={"ours": "yes"}))
    written = await leader.writer.recreate_secret(stored, wanted)
    assert written.metadata.uid != stored.metadata.uid
    assert (written.data, written.immutable, written.metadata.labels) == (wanted.data, True, FOREIGN_META.labels)
    with pytest.raises(Conflict):
        await leader.writer.recreate_secret(stored, wanted)


async def test_fenced_writer_waits_for_the_finalizers_of_others() -> None:
    """And names them: only their owners remove them."""
    leader = a_leader()
    stored = await a_stored_secret(leader, immutable=True)
    held = replace(stored.metadata, finalizers=("backup.example/hold",))
    stored = leader.cluster.change(SECRETS, stored.key, metadata=held)
    with pytest.raises(Invalid, match=r"backup\.example/hold"):
        await leader.writer.recreate_secret(stored, stored)
