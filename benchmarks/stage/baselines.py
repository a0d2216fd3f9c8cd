"""The baselines' processes, on the first core like what they are compared with."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.baseline.raw_asgi import CLIENT_ID, SECRET
from benchmarks.measure.http_load import pin_to_first
from benchmarks.stage.workload import Pair
from devcluster.ports import ReservedPort

TOKEN, SIGNATURE = "token", "signature"
PAIR = Pair(CLIENT_ID, SECRET)


@asynccontextmanager
async def raw_asgi(kind: str) -> AsyncIterator[tuple[str, int]]:
    """URL and process of a raw ASGI application that answers like a token endpoint."""
    port = ReservedPort()
    command = [sys.executable, "-m", "benchmarks.baseline.raw_asgi", str(port.number), kind]
    process = await asyncio.create_subprocess_exec(*command)
    url = f"http://127.0.0.1:{port.number}/token"
    try:
        await _until_served(url)
        pin_to_first(process.pid)
        yield url, process.pid
    finally:
        process.terminate()
        await process.wait()
        port.release()


async def _until_served(url: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": PAIR.client_id, "client_secret": PAIR.client_secret}
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(url, data=form) as answer:
                    answer.raise_for_status()
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
