"""One at a time, and everybody in turn."""

import asyncio

from token_service.turns import Turns


class Work:
    """What is done in turns, and in which order."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.begun: list[str] = []
        self.go_on = asyncio.Event()

    async def do(self, name: str, what: str) -> None:
        """As long as the others may not go on."""
        async with self.turns.turn_of(name):
            self.begun.append(what)
            await self.go_on.wait()

    async def begin(self, *works: str) -> "list[asyncio.Task[None]]":
        """Of whoever the first letter names."""
        tasks = [asyncio.create_task(self.do(what[0], what)) for what in works]
        await asyncio.sleep(0)
        return tasks


async def test_whoever_has_much_to_do_waits_for_who_has_little() -> None:
    """Also for those who came later."""
    work = Work()
    tasks = await work.begin("a1", "a2", "a3", "b1", "b2", "c1")
    assert work.begun == ["a1"]
    work.go_on.set()
    await asyncio.gather(*tasks)
    assert work.begun == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_whoever_has_gone_is_passed_over() -> None:
    """Before it is their turn, and at the moment at which it is."""
    work = Work()
    async with work.turns.turn_of("a"):
        early, late, other = await work.begin("b1", "c1", "d1")
        early.cancel()
        await asyncio.sleep(0)
    late.cancel()
    work.go_on.set()
    await asyncio.wait([early, late, other])
    await asyncio.wait_for(work.do("a", "a2"), 5)
    assert work.begun == ["d1", "a2"]
