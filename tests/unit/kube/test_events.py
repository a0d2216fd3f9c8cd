"""What is recorded of what was done: events are counted, by an hour's clock."""

import asyncio
from collections import Counter
from itertools import count
from typing import Any

from agentidp.kube.events import EventRecorder
from agentidp.kube.kinds import CREDENTIALS
from agentidp.serving.buckets import Buckets
from tests.support.worlds import a_credential, a_uid, with_metadata

HOUR = 3600
AT_ONCE, PER_SECOND = 10, 0.1


class Cluster:
    """Takes events, and counts them by namespace and type."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()

    async def request(self, _method: str, _path: str, *, body: dict[str, Any]) -> None:
        """As a Cluster."""
        self.taken[body["metadata"]["namespace"], body["type"]] += 1


async def test_what_one_namespace_leaves_in_an_hour_is_bounded() -> None:
    """However many of its credentials rotate however often, and whatever new is to be told of them; warnings count apart."""
    moment, numbers = 0.0, count()
    cluster: Any = Cluster()
    recorder = EventRecorder(cluster, "operator", Buckets(PER_SECOND, AT_ONCE, lambda: moment).take)
    sending = asyncio.create_task(recorder.run())
    for second in range(HOUR):
        moment = float(second)
        for warning in (False, True):
            about = with_metadata(a_credential(), uid=a_uid(next(numbers)), namespace="busy", name="one")
            recorder.record(CREDENTIALS, about, "Rotated", f"number {next(numbers)}", action="Reconcile", warning=warning)
        await asyncio.sleep(0)
    other = with_metadata(a_credential(), uid=a_uid(next(numbers)), namespace="other", name="one")
    recorder.record(CREDENTIALS, other, "Issued", "The credential works.", action="Reconcile")
    for _ in range(HOUR):
        await asyncio.sleep(0)
    sending.cancel()
    bound = AT_ONCE + PER_SECOND * HOUR
    assert bound - 2 <= cluster.taken["busy", "Normal"] <= bound
    assert bound - 2 <= cluster.taken["busy", "Warning"] <= bound
    assert cluster.taken["other", "Normal"] == 1
