"""Whoever hangs up frees the place in which it waited, and takes nothing from others who wait for the same."""

import asyncio

import pytest

from agentidp.http_server.asgi import Message
from token_service.http.disconnection import ClientLeft, while_connected


class Client:
    """Sends nothing more, and leaves when it is told to."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> Message:
        """As ASGI servers tell it."""
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def test_work_is_done_while_the_client_waits() -> None:
    """And what it raises is raised."""

    async def fails() -> None:
        raise LookupError

    client = Client()
    assert await while_connected(client.receive, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(LookupError):
        await while_connected(client.receive, fails())


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    """It has ended then."""
    client, ended = Client(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(while_connected(client.receive, work()))
    await asyncio.sleep(0)
    client.leaves.set()
    with pytest.raises(ClientLeft):
        await waiting
    assert ended.is_set()


async def test_work_that_cannot_be_cancelled_counts() -> None:
    """Its result is returned, though nobody waits for it."""
    client = Client()

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return ""

    waiting = asyncio.create_task(while_connected(client.receive, work()))
    await asyncio.sleep(0)
    client.leaves.set()
    assert await waiting == "done"


async def test_work_is_cancelled_with_whoever_waits_for_it() -> None:
    """Such as at the end of the process."""
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.create_task(while_connected(Client().receive, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0)
    assert waiting.cancelled()
    assert cancelled.is_set()
