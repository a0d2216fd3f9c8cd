"""Events of one namespace: how many wait at most, and how many an hour leaves in the cluster."""

import asyncio
import re
from collections import Counter
from itertools import count
from typing import Any

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from agentidp.domain.resources import AgentCredential
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
        self.events: list[dict[str, Any]] = []

    async def request(self, _method: str, _path: str, *, body: dict[str, Any]) -> None:
        """As a Cluster."""
        self.events.append(body)
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


async def sent(*told: tuple[AgentCredential, str, bool]) -> list[dict[str, Any]]:
    """The events about these credentials: each with a note, and whether it tells of a transition."""
    cluster: Any = CountingCluster()
    recorder = EventRecorder(cluster, "operator")
    for about, note, transition in told:
        recorder.record(CREDENTIALS, about, "Told", note, action="Reconcile", transition=transition)
    sending = asyncio.create_task(recorder.run())
    for _ in range(len(told) + 1):
        await asyncio.sleep(0)
    sending.cancel()
    return list(cluster.events)


@pytest.mark.parametrize("length", range(215, 254))
@pytest.mark.parametrize("filling", ["-", "."])
async def test_event_names_are_names(length: int, filling: str) -> None:
    """An Event's name is an RFC 1123 subdomain of at most 253 characters, whatever the object's name is cut off at."""
    name = f"{'a' * (length - 11)}{filling}{'b' * 10}"
    (event,) = await sent((with_metadata(a_credential(), name=name), "It works.", False))
    found = event["metadata"]["name"]
    assert len(found) <= 253
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", found)


async def test_a_transition_is_told_each_time() -> None:
    """Suspended, resumed, suspended, resumed: the last event is about the present state. What is no transition is told once."""
    one = a_credential()
    events = await sent(
        *((one, note, True) for note in ("off", "on", "off", "on")), (one, "again", False), (one, "again", False)
    )
    assert [event["note"] for event in events] == ["off", "on", "off", "on", "again"]


@given(st.builds(lambda text, times, end: text * times + end, st.text(), st.sampled_from([1, 10, 1_000]), st.text()))
@example("\xe9" * 1_024)
@example("x" + "\xe9" * 1_024)
@example("x" * 1_025)
@example("x" * 1_024)
def test_notes_are_cut_by_bytes(note: str) -> None:
    """The API server refuses an event whose note has more than 1,024 bytes (`events.k8s.io/v1`); no character is split."""
    (event,) = asyncio.run(sent((a_credential(), note, False)))
    found = event["note"]
    assert len(found.encode()) <= 1_024
    assert note.startswith(found)
    assert found == note or len(found.encode()) > 1_024 - 4
