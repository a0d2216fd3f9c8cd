"""The processes of the baselines, pinned to a core."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks.baseline.raw_asgi import CLIENT_ID, SECRET
from benchmarks.stage.pinned import be_served, pinned_server
from benchmarks.stage.workload import ClientCredentials
from devcluster.ports import ReservedPort

TOKEN, SIGNATURE = "token", "signature"
CLIENT_CREDENTIALS = ClientCredentials(CLIENT_ID, SECRET)


@asynccontextmanager
async def raw_asgi(kind: str, directory: Path) -> AsyncIterator[tuple[str, int]]:
    """URL and process of a raw ASGI application that answers like a token endpoint."""
    port = ReservedPort()
    command = [sys.executable, "-m", "benchmarks.baseline.raw_asgi", str(port.number), kind]
    url = f"http://127.0.0.1:{port.number}/token"
    async with pinned_server(
        command, partial(be_served, url=url, client_credentials=CLIENT_CREDENTIALS), {}, directory / f"raw-asgi-{kind}.log"
    ) as pid:
        yield url, pid
    port.release()
