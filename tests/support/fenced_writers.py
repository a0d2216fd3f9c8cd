"""A fenced writer on the model of the API server, with or without leadership."""

import time
from typing import Any

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Leadership
from agent_operator.work_queue import WorkQueue
from tests.support.model_cluster import ModelCluster


class NoEvents:
    """Records no events."""

    def record(self, *_: Any, **__: Any) -> None:
        """Ignore the event."""


class WriterOfAModel:
    """A fenced writer with its model of the API server and its cache."""

    def __init__(self, *, leads: bool = True) -> None:
        self.model = ModelCluster()
        self.cluster: Any = self.model
        self.cache = ClusterCache(WorkQueue())
        self.leadership = Leadership()
        if leads:
            self.leadership.trust(time.monotonic() + 3600)
        events: Any = NoEvents()
        self.writer = FencedWriter(self.cluster, self.cache, self.leadership, events)
