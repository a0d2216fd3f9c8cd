"""Events that wait to be sent: a tenant's flood leaves places to others. It is here a server that counts what it is sent."""

import asyncio
from collections import Counter

from aiohttp import web
from kubernetes.aio.client import Configuration

from agentidp.kube.cluster import Cluster
from agentidp.kube.events import QUEUE_LENGTH, EventRecorder
from agentidp.kube.kinds import AGENTS
from tests.support.worlds import an_agent


async def test_a_flood_about_one_namespace_leaves_places_to_others() -> None:
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
    cluster = Cluster(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}"), "tests")
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
