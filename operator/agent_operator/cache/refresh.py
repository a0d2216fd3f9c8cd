"""Look again at one object that was not as it was remembered."""

from agent_operator.cache.cluster_cache import Store
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import Kind, ObjectT


async def refresh(cluster: KubeClient, kind: Kind[ObjectT], collection: Store[ObjectT], value: ObjectT) -> ObjectT | None:
    """The object as it is now, or None where it is gone; the collection knows it too, and wakes whom it concerns."""
    current = await cluster.find(kind, *value.key)
    if current is None:
        collection.remove(value.metadata)
    else:
        collection.put(current)
    return current
