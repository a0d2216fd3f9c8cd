"""Kopf takes objects of any depth and size, and keeps little of them."""

import json
import tracemalloc
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
import msgspec
import pytest

from agent_operator.watch.handlers import configure
from agent_operator.watch.kopf_lists import Bodies, Lists, loads
from agentidp.domain.resources import ObjectRef
from agentidp.kube.errors import TooLarge, Unreachable
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import PAGE_LIMITS
from tests.support.worlds import a_registered_agent, a_uid


def an_event(depth: int) -> str:
    """What a watch tells of an object that is nested so deep."""
    fields = '{"f:a":' * depth + "{}" + "}" * depth
    return f'{{"type":"ADDED","object":{{"metadata":{{"name":"a","managedFields":[{fields}]}}}}}}'


@pytest.mark.parametrize("depth", [600, 100_000])
async def test_an_object_is_handled(depth: int) -> None:
    """Kopf asks what of it was handled last and what is to be now, and would copy all of it for that."""
    settings = kopf.OperatorSettings()
    await configure(settings)
    read: Any = loads(an_event(depth))
    body, storage = kopf.Body(read["object"]), settings.persistence.diffbase_storage
    assert body.metadata.name == "a"
    assert (storage.fetch(body=body), storage.build(body=body)) == (None, {})


async def test_an_object_is_handled_that_a_later_python_has_read_whole() -> None:
    """Since Python 3.12 its decoder goes ten thousand deep, and copying no deeper than before."""
    settings, fields = kopf.OperatorSettings(), dict[str, Any]()
    await configure(settings)
    for _ in range(9_000):
        fields = {"f:a": fields}
    body = kopf.Body({"metadata": {"name": "a", "managedFields": [fields]}})
    assert settings.persistence.diffbase_storage.build(body=body) == {}
    assert msgspec.convert(dict(body), Named).metadata.name == "a"


class Named(msgspec.Struct):
    """What is read of an object."""

    metadata: ObjectRef


def an_agent_of(mebibytes: float, number: int = 0) -> dict[str, Any]:
    """With labels of so many MiB."""
    labels = {f"example.com/{one}": "x" * 63 for one in range(int(mebibytes * 12_000))}
    agent = json.loads(msgspec.json.encode(AGENTS.encode(a_registered_agent(uid=a_uid(number), name=f"agent-{number}"))))
    return agent | {"metadata": agent["metadata"] | {"labels": labels, "managedFields": [labels], "finalizers": ["a/b"]}}


def test_an_event_is_read_without_what_no_schema_bounds() -> None:
    """Spec, status and identity are whole."""
    agent = an_agent_of(0.1)
    read = loads(json.dumps({"type": "MODIFIED", "object": agent}))
    assert read["object"]["spec"] == agent["spec"]
    assert read["object"]["status"] == agent["status"]
    left_out = {"labels", "managedFields", "finalizers"}
    assert read["object"]["metadata"] == {key: agent["metadata"][key] for key in agent["metadata"].keys() - left_out}


def test_what_is_left_out_of_an_event_is_never_made() -> None:
    """Others wait while an event is read: one of 1 MiB and more is passed over, and takes no more than a small one."""
    small, large = (json.dumps({"type": "MODIFIED", "object": an_agent_of(size)}) for size in (0, 1))
    assert len(large) > 2**20
    assert bytes_made_by(large) < 2 * bytes_made_by(small)


def bytes_made_by(event: str) -> int:
    """At most at a time, while it is read."""
    loads(event)
    tracemalloc.start()
    loads(event)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_an_error_of_a_watch_is_read_whole() -> None:
    """Kopf begins anew when it is 410."""
    error = {"type": "ERROR", "object": {"kind": "Status", "metadata": {}, "code": 410, "reason": "Expired"}}
    assert loads(json.dumps(error)) == error


class Paged:
    """An API server with these objects; it keeps count of the bytes of each answer that was read."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = [json.dumps(item) for item in items]
        self.largest = 0

    async def request(self, _method: str, _path: str, *, params: Mapping[str, str], max_bytes: int | None) -> bytes:
        """As a Cluster: no more than `max_bytes` bytes."""
        start = int(params.get("continue", "0"))
        end = start + int(params["limit"])
        more = str(end) if end < len(self._items) else ""
        items = ",".join(self._items[start:end])
        body = f'{{"metadata":{{"resourceVersion":"7","continue":"{more}"}},"items":[{items}]}}'.encode()
        self.largest = max(self.largest, min(len(body), max_bytes or len(body)))
        if max_bytes is not None and len(body) > max_bytes:
            raise TooLarge("too many bytes")
        return body


async def test_a_list_of_large_objects_is_read_some_mebibytes_at_a_time() -> None:
    """Kopf gets all of them, a few at a time, and of each what the schema bounds."""
    cluster: Any = Paged(*(an_agent_of(1, number) for number in range(30)))
    resource = SimpleNamespace(plural="agents")
    bodies, versions = list[dict[str, Any]](), set[str]()
    async for some, version in Lists(cluster, [AGENTS], {}).fetch_objs(resource=resource, settings=None, namespace=None):
        bodies += some
        versions.add(version)
    assert [body["metadata"]["name"] for body in bodies] == [f"agent-{number}" for number in range(30)]
    assert max(len(json.dumps(body)) for body in bodies) < 4096
    assert {(body["kind"], body["apiVersion"]) for body in bodies} == {("Agent", AGENTS.api_version)}
    assert versions == {"7"}
    assert cluster.largest <= PAGE_LIMITS.max_bytes


async def test_a_list_of_nothing_has_a_version() -> None:
    """From which Kopf watches."""
    cluster: Any = Paged()
    resource = SimpleNamespace(plural="agents")
    lists = Lists(cluster, [AGENTS], {})
    assert [(list(some), version) async for some, version in lists.fetch_objs(resource=resource)] == [([], "7")]


async def test_what_was_just_read_is_not_listed_again() -> None:
    """A new object of one tenant would come after all large ones of another, twice. The next list, after 410, is whole."""
    cluster: Any = Paged(an_agent_of(0.1))
    resource, lists = SimpleNamespace(plural="agents"), Lists(cluster, [AGENTS], {"agents": 5})
    first = [(list(some), version) async for some, version in lists.fetch_objs(resource=resource)]
    assert (first, cluster.largest) == ([([], "5")], 0)
    second = [(len(some), version) async for some, version in lists.fetch_objs(resource=resource)]
    assert second == [(1, "7"), (0, "7")]


async def test_trouble_with_a_list_is_trouble_that_kopf_retries() -> None:
    """Anything else would end the operator."""

    class Away:
        async def request(self, *_: Any, **__: Any) -> bytes:
            raise Unreachable("nobody there")

    cluster: Any = Away()
    with pytest.raises(aiohttp.ClientConnectionError):
        async for _ in Lists(cluster, [AGENTS], {}, retry_seconds=0).fetch_objs(resource=SimpleNamespace(plural="agents")):
            pass


def test_a_body_is_read_by_the_operator() -> None:
    """As the object that it is."""
    read = Bodies(AGENTS).decode(json.dumps(an_agent_of(0.1)).encode())
    assert msgspec.convert(read, AGENTS.type).spec == a_registered_agent().spec
