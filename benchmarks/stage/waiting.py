"""Waiting for what another process does: nobody tells, so one has to look."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.005


async def until(holds: Callable[[], bool], look_seconds: float = LOOK_SECONDS) -> None:
    """Look again and again. Raises TimeoutError."""

    async def look() -> bool:
        return holds()

    await until_awaited(look, look_seconds)


async def until_awaited(holds: Callable[[], Awaitable[bool]], look_seconds: float = LOOK_SECONDS) -> None:
    """The same, where looking takes a request."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 another process sets no event
            await asyncio.sleep(look_seconds)
