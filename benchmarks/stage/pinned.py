"""Servers of others, on the first core like what they are compared with."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.measure.http_load import pin_to_first
from benchmarks.stage.workload import Pair


@asynccontextmanager
async def pinned_server(
    command: Sequence[str | Path], url: str, pair: Pair, environment: Mapping[str, str], log: Path
) -> AsyncIterator[int]:
    """Its process, as soon as it gives the pair a token at the URL."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | environment, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
    try:
        if not await _is_served(process, url, pair):
            raise RuntimeError(f"what should serve {url} ended with {process.returncode}:\n{_said(log)}")
        pin_to_first(process.pid)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_served(process: Process, url: str, pair: Pair) -> bool:
    """As soon as it is so; False where the process has ended."""
    form = {"grant_type": "client_credentials", "client_id": pair.client_id, "client_secret": pair.client_secret}
    async with aiohttp.ClientSession() as session:
        while process.returncode is None:
            try:
                async with session.post(url, data=form) as answer:
                    answer.raise_for_status()
                    return True
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    return False


def _said(log: Path) -> str:
    return log.read_text(errors="replace")
