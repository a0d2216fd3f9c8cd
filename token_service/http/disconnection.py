"""What is done for a client only while it is there: whoever hangs up frees the place in which it waited.

ASGI tells of it when it is asked for more of the request, whose body must have been read before.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from agentidp.http_server.asgi import Receive

ResultT = TypeVar("ResultT")


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


async def while_connected(receive: Receive | None, work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What the work returns. It is cancelled when the client leaves. Raises ClientLeft if it heeds that."""
    if receive is None:
        return await work
    task, left = asyncio.create_task(work), asyncio.create_task(_until_it_leaves(receive))
    try:
        await asyncio.wait([task, left], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if task.cancelled():
            raise ClientLeft
        return task.result()
    finally:
        task.cancel()
        left.cancel()


async def _until_it_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
