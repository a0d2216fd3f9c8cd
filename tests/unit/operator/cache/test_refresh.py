"""Refresh: one object is read again, and the cache follows."""

from typing import Any

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.refresh import refresh
from agent_operator.work_queue import WorkQueue
from agentidp.kube.kinds import AGENTS
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import an_agent


async def test_refresh_puts_the_present_object_into_the_cache() -> None:
    """A reconciler calls it after a Conflict."""
    model, cache = ModelCluster(), ClusterCache(WorkQueue())
    current = await model.create(AGENTS, an_agent())
    cluster: Any = model
    assert await refresh(cluster, AGENTS, cache.agents, an_agent()) == current
    assert cache.agents.get(current.key) == current


async def test_refresh_removes_an_object_that_is_gone() -> None:
    """The watch may not have reported the deletion yet."""
    cluster: Any = ModelCluster()
    cache = ClusterCache(WorkQueue())
    agent = an_agent()
    cache.agents.put(agent)
    assert await refresh(cluster, AGENTS, cache.agents, agent) is None
    assert cache.agents.get(agent.key) is None
