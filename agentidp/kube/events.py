"""Kubernetes events (`events.k8s.io/v1`): what `kubectl describe` shows of what was done and why.

Events are for people: they are sent behind the work, and one that cannot be sent is dropped. One that was just sent is not sent
again, unless it tells of a transition: the state has changed meanwhile, and the last event must be about the present one. How
many a namespace may leave in etcd is for whoever records them to bound (`admits`). They never carry a secret; their notes come
from conditions.
"""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from agentidp.domain.resources.meta import Object, rfc3339
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import Kind
from agentidp.runtime.bounded_cache import BoundedCache

QUEUE_LENGTH = 10_000
MOST_OF_A_NAMESPACE = 1_000
"""That wait to be sent: a tenant whose objects change without end leaves places to others."""
REPEAT_AFTER_SECONDS = 600.0
REMEMBERED = 10_000
MAX_NOTE = 1024
MAX_NAME = 230  # leaves room for the suffix that makes an event's name unique: 253 in all (RFC 1123 subdomain)

log = logging.getLogger(__name__)


class EventRecorder:
    """A bounded queue of events, and the task that sends them. `admits` is asked with namespace and type: `team/Warning`."""

    def __init__(self, cluster: KubeClient, controller: str, admits: Callable[[str], bool] = lambda _: True) -> None:
        self._cluster = cluster
        self._admits = admits
        self._controller = controller
        self._instance = socket.gethostname()
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_LENGTH)
        self._waiting: Counter[str] = Counter()
        self._sent: BoundedCache[tuple[str, str, str], float] = BoundedCache(REMEMBERED)

    def record(
        self,
        kind: Kind[Any],
        about: Object,
        reason: str,
        note: str,
        *,
        action: str,
        warning: bool = False,
        transition: bool = False,
    ) -> None:
        """Tell what was done to an object, or that its state has changed (`transition`); returns at once."""
        namespace = about.metadata.namespace
        if (self._is_repeated((about.metadata.uid, reason, note)) and not transition) or self._queue.full():
            return
        if self._waiting[namespace] >= MOST_OF_A_NAMESPACE:
            return
        event = self._event(kind, about, reason, note[:MAX_NOTE], action, warning)
        if self._admits(f"{event['metadata']['namespace']}/{event['type']}"):
            self._waiting[namespace] += 1
            self._queue.put_nowait(event)

    async def run(self) -> None:
        """Send, for ever."""
        while True:
            event = await self._queue.get()
            self._leaves(event["regarding"]["namespace"])
            path = f"/apis/events.k8s.io/v1/namespaces/{event['metadata']['namespace']}/events"
            try:
                await self._cluster.request("POST", path, body=event)
            except ApiError as trouble:
                log.info("an event was not recorded: %s", trouble)

    def _leaves(self, namespace: str) -> None:
        self._waiting[namespace] -= 1
        if not self._waiting[namespace]:
            del self._waiting[namespace]

    def _is_repeated(self, key: tuple[str, str, str]) -> bool:
        now = time.monotonic()
        last = self._sent.get(key)
        is_repeated = last is not None and now - last < REPEAT_AFTER_SECONDS
        self._sent.put(key, last if last is not None and is_repeated else now)
        return is_repeated

    def _event(self, kind: Kind[Any], about: Object, reason: str, note: str, action: str, warning: bool) -> dict[str, Any]:
        meta = about.metadata
        namespace = meta.namespace or "default"
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{meta.name[:MAX_NAME]}.{time.time_ns():x}", "namespace": namespace},
            "eventTime": rfc3339(datetime.now(UTC), "microseconds"),
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "action": action,
            "note": note,
            "reportingController": self._controller,
            "reportingInstance": self._instance,
            "regarding": {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "namespace": meta.namespace,
                "name": meta.name,
                "uid": meta.uid,
            },
        }
