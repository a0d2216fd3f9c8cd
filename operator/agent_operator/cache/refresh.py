"""Refresh one object of the cluster cache by a live read."""

from agent_operator.cache.cluster_cache import Store
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import Kind, ObjectT


async def refresh(cluster: KubeClient, kind: Kind[ObjectT], store: Store[ObjectT], value: ObjectT) -> ObjectT | None:
    """Return the object as the API server has it, or None; the store gets it, and enqueues the requests that depend on it."""
    current = await cluster.find(kind, *value.key)
    if current is None:
        store.remove(value.metadata)
    else:
        store.put(current)
    return current
