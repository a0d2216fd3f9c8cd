"""Refresh: one object of the cluster cache, by a live read."""

from typing import Any

from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.refresh import refresh
from agent_operator.work_queue import WorkQueue
from agentidp.kube.kinds import AGENTS
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import an_agent


async def test_refresh_puts_the_present_version_into_the_store() -> None:
    """And returns it."""
    cluster: Any = ModelCluster()
    created = await cluster.create(AGENTS, an_agent())
    cache = ClusterCache(WorkQueue())
    cache.agents.put(created)
    changed = cluster.change(AGENTS, created.key, spec=replace(created.spec, owner="another"))
    current = await refresh(cluster, AGENTS, cache.agents, created)
    assert current == changed
    assert cache.agents.get(created.key) == changed


async def test_refresh_removes_a_deleted_object() -> None:
    """And returns None."""
    cluster: Any = ModelCluster()
    created = await cluster.create(AGENTS, an_agent())
    cache = ClusterCache(WorkQueue())
    cache.agents.put(created)
    await cluster.delete(AGENTS, created)
    assert await refresh(cluster, AGENTS, cache.agents, created) is None
    assert cache.agents.get(created.key) is None
