"""Waiting until a view has come as far as some resource version."""

import asyncio

import pytest

from agentidp.kube.waiters import ResourceVersionWaiters


async def test_what_is_reached_is_not_waited_for() -> None:
    """This version and every one before it."""
    progress = ResourceVersionWaiters()
    progress.reach(7)
    assert await progress.until(7, 0)
    assert await progress.until(6, 0)


async def test_who_waits_is_woken_by_the_version_or_a_later_one() -> None:
    """And by none before it."""
    progress = ResourceVersionWaiters()
    waiting = asyncio.create_task(progress.until(7, 60))
    await asyncio.sleep(0)
    progress.reach(6)
    await asyncio.sleep(0)
    assert not waiting.done()
    progress.reach(9)
    assert await waiting


@pytest.mark.parametrize("seconds", [0.01, 0, -1])
async def test_the_wait_ends(seconds: float) -> None:
    """However little time is left."""
    assert not await ResourceVersionWaiters().until(1, seconds)


async def test_a_store_that_was_restored_takes_the_view_back() -> None:
    """What the view held before is not in there any more."""
    progress = ResourceVersionWaiters()
    progress.reach(9)
    progress.reach(3)
    assert not await progress.until(9, 0)
