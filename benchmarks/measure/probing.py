"""Asking a program's liveness probe all the time, as a kubelet would only now and then."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

EVERY_SECONDS = 0.05
KUBELET_TIMEOUT = 1.0
"""A probe's default `timeoutSeconds`."""


class Probing:
    """Latencies in seconds, and how often a kubelet would have counted a failure."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.failures = 0

    async def _run(self, url: str) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                await self._ask(session, url)

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> None:
        started, alive = time.monotonic(), False
        with suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(url) as answer:
                alive = answer.ok
        took = time.monotonic() - started
        self.latencies.append(took)
        self.failures += not alive or took > KUBELET_TIMEOUT


@asynccontextmanager
async def probing(url: str) -> AsyncIterator[Probing]:
    """Ask while the block runs; the program must be up."""
    probes = Probing()
    asking = asyncio.create_task(probes._run(url))  # noqa: SLF001 the same module
    try:
        yield probes
    finally:
        asking.cancel()
        await asyncio.wait([asking])
