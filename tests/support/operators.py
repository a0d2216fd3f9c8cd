"""A fenced writer that leads, on a model of the API server."""

from typing import Any, NamedTuple

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Leadership
from agent_operator.work_queue import WorkQueue
from tests.support.model_cluster import ModelCluster


class Silent:
    """Events, to nobody."""

    def record(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Leader(NamedTuple):
    """An operator that leads."""

    cluster: Any
    cache: ClusterCache
    leadership: Leadership
    writer: FencedWriter


def a_leader() -> Leader:
    """On a cluster with nothing in it."""
    cluster: Any = ModelCluster()
    events: Any = Silent()
    cache, leadership = ClusterCache(WorkQueue()), Leadership()
    leadership.trust(float("inf"))
    return Leader(cluster, cache, leadership, FencedWriter(cluster, cache, leadership, events))
