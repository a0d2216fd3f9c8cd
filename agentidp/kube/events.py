"""Event recorder: Kubernetes events (`events.k8s.io/v1`), as `kubectl describe` shows them.

Flows in: what was done to an object, and why. Flows out: events, sent by a task of their own, so work never waits for them. An
event that cannot be sent is dropped. An event that was just sent is not sent again, unless it is about a transition: the state
has changed meanwhile, and the last event must be about the present state. Bounded: the queue, the places of a namespace in it,
and the memory of what was sent. `admits` bounds the events of a namespace in etcd. No event has a secret: notes come from
conditions and from fixed texts.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from agentidp.domain.resources.meta import Object, rfc3339
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import Kind
from agentidp.runtime.bounded_cache import BoundedCache
from agentidp.runtime.pools.group_counts import GroupCounts

QUEUE_LENGTH = 10_000
MAX_WAITING_OF_A_NAMESPACE = 1_000
"""Events of one namespace in the queue, so a tenant whose objects change without end leaves places to others."""
REPEAT_AFTER_SECONDS = 600.0
MAX_SENT = 10_000
"""Sent events that are remembered, the oldest of which are forgotten first."""
MAX_NOTE = 1024
"""Bytes of a note: the API server refuses an event with more."""
MAX_NAME = 230  # leaves room for the suffix that makes an event's name unique: 253 in all (RFC 1123 subdomain)

log = logging.getLogger(__name__)


class EventRecorder:
    """A bounded queue of events. `admits` decides about each by namespace and type, such as `team/Warning`."""

    def __init__(self, cluster: KubeClient, controller: str, admits: Callable[[str], bool] = lambda _: True) -> None:
        self._cluster = cluster
        self._admits = admits
        self._controller = controller
        self._instance = socket.gethostname()
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_LENGTH)
        self._waiting = GroupCounts()
        self._sent: BoundedCache[tuple[str, str, str], float] = BoundedCache(MAX_SENT)

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
        namespace, note = about.metadata.namespace, _cut(note)
        if (self._is_repeated((about.metadata.uid, reason, note)) and not transition) or self._queue.full():
            return
        if self._waiting[namespace] >= MAX_WAITING_OF_A_NAMESPACE:
            return
        event = self._event(kind, about, reason, note, action, warning)
        if self._admits(f"{event['metadata']['namespace']}/{event['type']}"):
            self._waiting.add(namespace)
            self._queue.put_nowait(event)

    async def run(self) -> None:
        """Send the recorded events until the task is cancelled."""
        while True:
            event = await self._queue.get()
            self._waiting.remove(event["regarding"]["namespace"])
            path = f"/apis/events.k8s.io/v1/namespaces/{event['metadata']['namespace']}/events"
            try:
                await self._cluster.request("POST", path, body=event)
            except ApiError as error:
                log.info("an event was not recorded: %s", error)

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
            "metadata": {"name": f"{meta.name[:MAX_NAME].rstrip('-.')}.{time.time_ns():x}", "namespace": namespace},
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


def _cut(note: str) -> str:
    """As much of the note as has no more than `MAX_NOTE` bytes. No character is split."""
    return note[:MAX_NOTE].encode()[:MAX_NOTE].decode(errors="ignore")
