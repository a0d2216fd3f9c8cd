"""Fair lock: how many tasks are inside at a time, and which group goes on. More in the operator's scenarios."""

import asyncio

import pytest

from agentidp.runtime.pools.fair_lock import FairLock


class Room:
    """A place behind a lock; each visitor stays until it is let out."""

    def __init__(self, places: int) -> None:
        self._lock = FairLock(places)
        self.inside: list[str] = []
        self._leave = {name: asyncio.Event() for name in ("a1", "a2", "a3", "b1")}

    async def visit(self, name: str) -> None:
        """The first letter of a name is its group."""
        async with self._lock.place_for(name[0]):
            self.inside.append(name)
            await self._leave[name].wait()
            self.inside.remove(name)

    async def let_out(self, name: str) -> None:
        """And see who goes in."""
        self._leave[name].set()
        await settle()


async def settle() -> None:
    """Let all tasks run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_fair_lock_gives_a_free_place_to_the_group_that_has_had_least() -> None:
    """First come, first served within a group."""
    room = Room(1)
    visits = [asyncio.create_task(room.visit(name)) for name in ("a1", "a2", "a3", "b1")]
    await settle()
    order = list(room.inside)
    for _ in range(3):
        await room.let_out(room.inside[0])
        order += room.inside
    assert order == ["a1", "b1", "a2", "a3"]
    await room.let_out("a3")
    await asyncio.gather(*visits)


async def test_fair_lock_takes_a_cancelled_waiter_out_and_frees_a_cancelled_holder_s_place() -> None:
    """No place is lost."""
    room = Room(1)
    holder, waiter, last = (asyncio.create_task(room.visit(name)) for name in ("a1", "a2", "a3"))
    await settle()
    waiter.cancel()
    holder.cancel()
    await settle()
    assert room.inside == ["a1", "a3"]  # the first was cancelled inside, before it could leave the list
    for task in (holder, waiter):
        with pytest.raises(asyncio.CancelledError):
            await task
    await room.let_out("a3")
    await last
