"""Agents in the cluster cache: when they were updated, and how many a namespace has."""

from datetime import datetime

import msgspec
import pytest
from msgspec.structs import replace

from agentidp.cache.store import IndexedStore
from agentidp.domain.resources import ObjectRef
from management_api.cache.agents import AGENTS_WITH_MANAGED_FIELDS, CACHED_AGENTS, CachedAgent, CachedAgentIndex
from tests.support.management_parts import a_cached_agent
from tests.support.worlds import AGENT_ID, NAMESPACE, NOW, a_registered_agent


def test_index_counts_agents_that_have_no_id_yet() -> None:
    """Without an operator, agents are objects like others. Each is counted once, and not after it is removed."""
    table = CachedAgentIndex()
    store: IndexedStore[CachedAgent, CachedAgentIndex] = IndexedStore(table)
    without, registered = a_cached_agent(""), a_cached_agent(AGENT_ID)
    store.put(without)
    assert (table.count_in(NAMESPACE), len(table)) == (1, 0)
    store.put(replace(registered, version=without.version + 1))
    store.put(without)
    assert (table.count_in(NAMESPACE), len(table)) == (1, 1)
    store.remove(ObjectRef(namespace=NAMESPACE, name=registered.name))
    assert table.count_in(NAMESPACE) == 0
    store.put(without)
    store.remove(ObjectRef(namespace=NAMESPACE, name=without.name))
    assert table.count_in(NAMESPACE) == 0


UPDATE_TIMES: dict[str, datetime | None] = {NOW.isoformat(): NOW, "2026-03-01T12:00:00": None, "yesterday": None, "": None}


@pytest.mark.parametrize("time", UPDATE_TIMES)
def test_cached_agent_takes_the_time_of_an_update_from_managed_fields(time: str) -> None:
    """A tenant may write any text there: without a time, the agent was updated when it was created."""
    agent = CACHED_AGENTS.decode(an_agent_written_at(time))
    assert agent.updated == (UPDATE_TIMES[time] or agent.created)


def an_agent_written_at(time: str) -> bytes:
    """An agent as the API server sends it, with this time in its managed fields."""
    body = AGENTS_WITH_MANAGED_FIELDS.encode(AGENTS_WITH_MANAGED_FIELDS.decode(msgspec.json.encode(a_registered_agent())))
    body["metadata"]["managedFields"] = [{"manager": "somebody", "time": time}, {"manager": "nobody", "time": None}]
    return msgspec.json.encode(body)
