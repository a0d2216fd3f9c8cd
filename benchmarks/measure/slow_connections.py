"""Clients that hold connections and say next to nothing: `python -m benchmarks.measure.slow_connections` is their process.

Each sends the same opening, then a byte a second, or nothing more. Whoever is thrown out comes back.
"""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from msgspec import Struct

from benchmarks.measure.http_load import keep_off_first

BYTE_EVERY_SECONDS = 1.0
BACK_AFTER_SECONDS = 0.5
READY = b"ready\n"


class Slow(Struct, frozen=True):
    """How many connections to where, what they begin with, and whether more trickles after it."""

    host: str
    port: int
    connections: int
    opening: bytes = b""
    trickles: bool = False


@asynccontextmanager
async def held(slow: Slow) -> AsyncIterator[None]:
    """While the block runs; when it is entered, all are connected."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.measure.slow_connections"]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, preexec_fn=keep_off_first)
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("there are no pipes to the connections' process")
    try:
        process.stdin.write(msgspec.json.encode(slow) + b"\n")
        if await process.stdout.readline() != READY:
            raise RuntimeError("the connections' process has ended")
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def hold(slow: Slow) -> None:
    """Hold the connections open until the task is cancelled."""
    async with asyncio.TaskGroup() as tasks:
        connected = [asyncio.Event() for _ in range(slow.connections)]
        for event in connected:
            tasks.create_task(_hold_one(slow, event))
        for event in connected:
            await event.wait()
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()


async def _hold_one(slow: Slow, connected: asyncio.Event) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(slow.host, slow.port)
            connected.set()
            writer.write(slow.opening)
            trickle = asyncio.create_task(_trickle(writer)) if slow.trickles else None
            while await reader.read(4096):
                pass
            if trickle:
                trickle.cancel()
            writer.close()
        await asyncio.sleep(BACK_AFTER_SECONDS)


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(BYTE_EVERY_SECONDS)
        writer.write(b"x")


def main() -> None:
    """As standard input says, until it is killed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(hold(msgspec.json.decode(sys.stdin.buffer.readline(), type=Slow)))


if __name__ == "__main__":
    main()
