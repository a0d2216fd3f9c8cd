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
from agentidp.kube.pager import PageLimits, Pager
from tests.support.worlds import a_registered_agent, a_uid

LIMITS = PageLimits(objects=100, max_bytes=64 * 1024)
SMALL, LARGE = 0, 20_000
"""Bytes that an object has beyond what it needs; of large ones, three fit into a page."""


class Collection:
    """An API server with objects of these sizes, in this order."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._items = [an_agent(number, size) for number, size in enumerate(sizes)]
        self.assembled = 0
        self.pages = 0

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
        return body


def an_agent(number: int, size: int) -> str:
    """An agent with so many bytes of `managedFields`."""
    agent = json.loads(msgspec.json.encode(AGENTS.encode(a_registered_agent(uid=a_uid(number), name=f"agent-{number:04}"))))
    return json.dumps(agent | {"metadata": agent["metadata"] | {"managedFields": ["x" * size]}})


async def listed(collection: Collection) -> list[Agent]:
    """All objects, by the programs' pager."""
    cluster: Any = collection
    return [agent async for agents in Pager(cluster, AGENTS, limits=LIMITS) for agent in agents]


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
