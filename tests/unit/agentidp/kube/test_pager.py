"""Pages of a list: what a namespace's objects cost others is what they are, however large and in whatever order.

The collection counts the objects that it assembles for its answers, those that are too large to be read among them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentidp.domain.resources import Agent
from agentidp.kube.errors import TooLarge
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import PAGE_LIMITS, PageLimits, Pager
from tests.support.worlds import a_registered_agent, a_uid

MIB = 2**20
LIMITS = PageLimits(objects=100, max_bytes=64 * 1024)
SMALL, LARGE = 0, 20_000
"""Bytes that an object has beyond what it needs; of large ones, three fit into a page."""


class Collection:
    """An API server with objects of these sizes, in this order."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._items = [an_agent(number, size) for number, size in enumerate(sizes)]
        self.assembled = 0
        self.pages = 0
        self.read: list[tuple[int, int]] = []
        """Of each page that was read: its objects and its bytes."""

    async def request(self, _method: str, _path: str, *, params: Mapping[str, str], max_bytes: int | None) -> bytes:
        """As KubeClient: no more than `max_bytes`."""
        start = int(params.get("continue", "0"))
        items = self._items[start : start + int(params["limit"])]
        self.assembled += len(items)
        self.pages += 1
        end = start + len(items)
        more = str(end) if end < len(self._items) else ""
        body = f'{{"metadata":{{"resourceVersion":"7","continue":"{more}"}},"items":[{",".join(items)}]}}'.encode()
        if max_bytes is not None and len(body) > max_bytes:
            raise TooLarge("too many bytes")
        self.read.append((len(items), len(body)))
        return body


def an_agent(number: int, size: int) -> str:
    """An agent with so many bytes of `managedFields`."""
    agent = json.loads(msgspec.json.encode(AGENTS.encode(a_registered_agent(uid=a_uid(number), name=f"agent-{number:04}"))))
    return json.dumps(agent | {"metadata": agent["metadata"] | {"managedFields": ["x" * size]}})


async def listed(collection: Collection, limits: PageLimits = LIMITS) -> list[Agent]:
    """All objects, by the programs' pager."""
    cluster: Any = collection
    return [agent async for agents in Pager(cluster, AGENTS, limits=limits) for agent in agents]


@pytest.mark.parametrize("size", [10_000, LARGE, 60_000])
async def test_a_list_of_large_objects_is_assembled_once(size: int) -> None:
    """But for the pages by which their size is found out: they are asked for again in no page that cannot be read."""
    collection = Collection([size] * 300)
    assert len(await listed(collection)) == 300
    found_out = LIMITS.objects + LIMITS.objects // LIMITS.shrink_factor + LIMITS.objects // LIMITS.shrink_factor**2
    assert collection.assembled <= 300 + found_out


async def test_small_objects_after_large_ones_are_listed_in_full_pages() -> None:
    """One namespace's large objects do not make the pages of others small."""
    collection = Collection([LARGE] * 12 + [SMALL] * 1000)
    await listed(collection)
    alone = Collection([SMALL] * 1000)
    await listed(alone)
    assert collection.pages <= alone.pages + 12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([SMALL, LARGE, 60_000]), st.integers(1, 40)), max_size=6))
async def test_every_object_is_listed_once(runs: list[tuple[int, int]]) -> None:
    """In order, whatever follows whatever; and each change of size costs a full page at most."""
    sizes = [size for size, count in runs for _ in range(count)]
    collection = Collection(sizes)
    names = [agent.metadata.name for agent in await listed(collection)]
    assert names == [f"agent-{number:04}" for number in range(len(sizes))]
    assert collection.assembled <= len(sizes) + 2 * LIMITS.objects * max(1, len(runs))


@pytest.mark.parametrize("size", [5 * MIB, 9 * MIB, 12 * MIB])
async def test_an_object_that_is_larger_than_a_page_is_read_alone(size: int) -> None:
    """Whatever the API server stores is listed, and so is what others have; pages of several objects stay as small as ever.

    The API server sends 2 MiB to etcd at most, which have six times as many bytes as JSON.
    """
    collection = Collection([SMALL] * 3 + [size] + [SMALL] * 30 + [size, size])
    assert len(await listed(collection, PAGE_LIMITS)) == 36
    assert all(page <= PAGE_LIMITS.max_bytes for objects, page in collection.read if objects > 1)
    assert max(page for _, page in collection.read) > size


async def test_a_page_that_has_more_bytes_than_any_object_is_not_read() -> None:
    """What sends it is no API server: the memory for one page is bounded."""
    with pytest.raises(TooLarge):
        await listed(Collection([14 * MIB]), PAGE_LIMITS)
