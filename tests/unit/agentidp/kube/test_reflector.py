"""Lists and watches of objects that are as large and as deep as a tenant can make them: others do not wait for these."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from agentidp.domain.resources import Agent, ObjectRef
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import TooLarge
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import CHUNK, CHUNK_BYTES, Pager, list_all
from agentidp.kube.reflector import Reflector
from tests.support.manifests import a_resource

DEPTH = 100_000


def an_agent(name: str, version: int = 1, *, size: int = 0, depth: int = 0) -> str:
    """An Agent as the API server writes it, with managed fields of so many bytes, and so deep."""
    manifest = a_resource("Agent", {}, name)
    fields = '{"f:a":' * depth + "{}" + "}" * depth
    padded = f'{{"f:padding":"{"x" * size}","f:deep":{fields}}}'
    manifest["metadata"] |= {"resourceVersion": str(version), "managedFields": [{"fieldsV1": "HERE"}]}
    return json.dumps(manifest).replace('"HERE"', padded)


class Answers:
    """An API server that has these pages of agents, and then tells these lines."""

    def __init__(self, *pages: list[str], told: tuple[str, ...] = ()) -> None:
        self._pages = list(pages)
        self._told = told
        self.asked: list[int] = []

    async def request(self, _method: str, _path: str, *, params: Mapping[str, str], max_bytes: int) -> bytes:
        """A page, if it has no more bytes."""
        self.asked.append(max_bytes)
        number = int(params.get("continue", 0))
        more = str(number + 1) if number + 1 < len(self._pages) else ""
        items = ",".join(self._pages[number]) if self._pages else ""
        body = f'{{"metadata":{{"resourceVersion":"1","continue":"{more}"}},"items":[{items}]}}'.encode()
        if len(body) > max_bytes:
            raise TooLarge("more than was asked for")
        return body

    @asynccontextmanager
    async def stream(self, *_: Any) -> AsyncIterator[asyncio.StreamReader]:
        """The lines; then it is quiet."""
        lines = asyncio.StreamReader(limit=2**24)
        lines.feed_data("".join(f"{line}\n" for line in self._told).encode())
        yield lines


def listing(answers: Answers, max_bytes: int | None = None) -> Pager[Agent]:
    """Of all that it has."""
    return Pager(cast("KubeClient", answers), AGENTS, max_bytes=max_bytes)


async def test_reflector_lists_deep_objects() -> None:
    """In its place."""
    answers = Answers([an_agent("a"), an_agent("b", depth=DEPTH)], [an_agent("c", depth=600), an_agent("d")])
    listed = await list_all(cast("KubeClient", answers), AGENTS)
    assert [agent.metadata.name for agent in listed] == ["a", "b", "c", "d"]


async def test_pager_decodes_large_objects_one_at_a_time() -> None:
    """Small ones ten."""
    sizes = [CHUNK_BYTES, CHUNK_BYTES, *([0] * (CHUNK + 2)), CHUNK_BYTES]
    answers = Answers([an_agent(f"{number}", size=size) for number, size in enumerate(sizes)])
    assert [len(some) async for some in listing(answers)] == [1, 1, CHUNK, 3]


async def test_pager_reads_max_bytes_in_all() -> None:
    """Whatever the number of pages."""
    pages = [[an_agent(f"{page}-{number}") for number in range(3)] for page in range(3)]
    size = sum(len(one) for page in pages for one in page)
    assert [len(some) async for some in listing(Answers(*pages), size + 1_000)] == [3, 3, 3]
    with pytest.raises(TooLarge):
        [some async for some in listing(Answers(*pages), size - 1)]


async def test_pager_with_max_bytes_fails_on_deep_objects() -> None:
    """Nothing of it is gone through."""
    answers = Answers([an_agent("a", depth=DEPTH)])
    with pytest.raises(TooLarge):
        [some async for some in listing(answers, 2**22)]
    assert answers.asked == [2**22]


class Seen:
    """A view that remembers what it was told."""

    def __init__(self, last: str) -> None:
        self.told: list[str] = []
        self.all_told = asyncio.Event()
        self._last = last

    async def replace(self, listing: Pager[Agent]) -> None:
        """There is nothing at first."""
        async for _ in listing:
            pass

    def put(self, agent: Agent) -> None:
        """By its name and version."""
        self._tell(f"{agent.metadata.name} {agent.metadata.resource_version}")

    def remove(self, gone: ObjectRef) -> None:
        """The same."""
        self._tell(f"no {gone.name} {gone.resource_version}")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        if what == self._last:
            self.all_told.set()


async def test_reflector_watches_in_order_whatever_is_deep() -> None:
    """And others are served while it goes through that."""
    told = (
        f'{{"type":"ADDED","object":{an_agent("a", 2, depth=DEPTH)}}}',
        f'{{"type":"MODIFIED","object":{an_agent("a", 3)}}}',
        f'{{"type":"ADDED","object":{an_agent("b", 4, depth=600)}}}',
        f'{{"type":"DELETED","object":{an_agent("a", 5, depth=DEPTH)}}}',
        f'{{"type":"BOOKMARK","object":{an_agent("", 6, depth=DEPTH)}}}',
        f'{{"type":"ADDED","object":{an_agent("c", 7)}}}',
    )
    seen = Seen("c 7")
    following = asyncio.create_task(Reflector(cast("KubeClient", Answers(told=told)), AGENTS, seen).run())
    turns = 0
    while not seen.all_told.is_set():
        assert not following.done()
        await asyncio.sleep(0)
        turns += 1
    following.cancel()
    assert seen.told == ["a 2", "a 3", "b 4", "no a 5", "c 7"]
    assert turns > 100
