"""Events of one namespace: how many wait at most, and how many an hour leaves in the cluster."""

import asyncio
from collections import Counter
from itertools import count
from typing import Any

from aiohttp import web

from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import FixedSource, RestConfig
from agentidp.kube.events import QUEUE_LENGTH, EventRecorder
from agentidp.kube.kinds import AGENTS, CREDENTIALS
from agentidp.runtime.token_buckets import TokenBuckets
from tests.support.worlds import a_credential, a_uid, an_agent, with_metadata

HOUR = 3600
AT_ONCE, PER_SECOND = 10, 0.1


class CountingCluster:
    """Takes events, and counts them by namespace and type."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()

    async def request(self, _method: str, _path: str, *, body: dict[str, Any]) -> None:
        """As a Cluster."""
        self.taken[body["metadata"]["namespace"], body["type"]] += 1


async def test_event_recorder_bounds_the_events_of_a_namespace() -> None:
    """However many of its credentials rotate however often, and whatever new is to be told of them; warnings count apart."""
    moment, numbers = 0.0, count()
    cluster: Any = CountingCluster()
    recorder = EventRecorder(cluster, "operator", TokenBuckets(PER_SECOND, AT_ONCE, lambda: moment).take)
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


async def test_event_recorder_leaves_places_in_its_queue_to_other_namespaces() -> None:
    """What is too much is left out; each event of the other namespace is sent."""
    sent, all_of_few = Counter[str](), asyncio.Event()

    async def create(request: web.Request) -> web.Response:
        sent[request.match_info["namespace"]] += 1
        if sent["few"] == 10:
            all_of_few.set()
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/apis/events.k8s.io/v1/namespaces/{namespace}/events", create)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cluster = KubeClient(ClientIdentity(FixedSource(RestConfig(f"http://127.0.0.1:{runner.addresses[0][1]}"))), "tests")
    recorder = EventRecorder(cluster, "tests")
    for number in range(QUEUE_LENGTH + 1):
        recorder.record(AGENTS, an_agent(namespace="many", uid=f"{number}"), "Registered", "It is.", action="Register")
    for number in range(10):
        recorder.record(AGENTS, an_agent(namespace="few", uid=f"few-{number}"), "Registered", "It is.", action="Register")
    sending = asyncio.create_task(recorder.run())
    async with asyncio.timeout(45):
        await all_of_few.wait()
    sending.cancel()
    await cluster.close()
    await runner.cleanup()
    assert sent["few"] == 10
    assert 0 < sent["many"] < QUEUE_LENGTH / 2
