"""Waiting until a view has come as far as some resource version."""

import asyncio

import pytest

from agentidp.kube.waiters import ResourceVersionWaiters


async def test_resource_version_waiters_do_not_wait_for_what_is_reached() -> None:
    """This version and every one before it."""
    progress = ResourceVersionWaiters()
    progress.reach(7)
    assert await progress.until(7, 0)
    assert await progress.until(6, 0)


async def test_resource_version_waiters_go_on_at_the_version_or_a_later_one() -> None:
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
async def test_resource_version_waiters_end_after_their_time(seconds: float) -> None:
    """However little time is left."""
    assert not await ResourceVersionWaiters().until(1, seconds)


async def test_resource_version_waiters_follow_a_restored_etcd() -> None:
    """What the view held before is not in there any more."""
    progress = ResourceVersionWaiters()
    progress.reach(9)
    progress.reach(3)
    assert not await progress.until(9, 0)
