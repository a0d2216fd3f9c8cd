"""Servers of others, on the first core like what they are compared with."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.measure.http_load import pin_to_first
from benchmarks.stage.workload import ClientCredentials

Prepare = Callable[[aiohttp.ClientSession], Awaitable[None]]


@asynccontextmanager
async def pinned_server(
    command: Sequence[str | Path], prepare: Prepare, environment: Mapping[str, str], log: Path
) -> AsyncIterator[int]:
    """Its process, as soon as it is prepared, which is tried until nobody refuses the connection."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | environment, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
    try:
        if not await _is_prepared(process, prepare):
            raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{_said(log)}")
        pin_to_first(process.pid)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_prepared(process: Process, prepare: Prepare) -> bool:
    """As soon as it is so; False where the process has ended."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        while process.returncode is None:
            try:
                await prepare(session)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
            else:
                return True
    return False


async def be_served(session: aiohttp.ClientSession, url: str, client_credentials: ClientCredentials) -> None:
    """Get a token with the client credentials. Raises ClientResponseError where it is refused."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client_credentials.client_id,
        "client_secret": client_credentials.client_secret,
    }
    async with session.post(url, data=form):
        pass


def _said(log: Path) -> str:
    return log.read_text(errors="replace")
