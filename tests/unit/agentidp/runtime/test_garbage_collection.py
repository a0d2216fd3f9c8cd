"""What the garbage collector is spared once a program knows its cluster."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from agentidp.runtime.garbage_collection import spare_what_is_listed


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests get the garbage collector as it was."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


async def test_garbage_collection_exempts_what_was_listed() -> None:
    """Not before all kinds are: what comes in a list stays, and would be looked through again and again."""
    agents, credentials = asyncio.Event(), asyncio.Event()
    sparing = asyncio.create_task(spare_what_is_listed([agents, credentials]))
    agents.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gc.get_freeze_count() == 0
    credentials.set()
    await sparing
    assert gc.get_freeze_count() > 0
