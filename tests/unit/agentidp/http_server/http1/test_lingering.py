"""Lingering close, on a real connection (RFC 9112, section 9.6)."""

import asyncio
from typing import cast

from agentidp.http_server.http1.lingering import LingeringTransport

ANSWER = b"x" * 100_000


class LingeringProtocol(asyncio.Protocol):
    """Answers the first data and closes, though more is on its way."""

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self.is_lost = asyncio.Event()
        self.closed: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the transport."""
        loop = asyncio.get_running_loop()
        writable = cast("asyncio.Transport", transport)
        self.lingering = LingeringTransport(writable, loop, self._max_seconds, lambda: self.closed.append("closing"))

    def data_received(self, _: bytes) -> None:
        """Answer once; discard what comes then."""
        if not self.lingering.is_closing():
            self.lingering.write(ANSWER)
        self.lingering.close()

    def eof_received(self) -> bool:
        """Close, as the client does."""
        return False

    def connection_lost(self, _: Exception | None) -> None:
        """Stop the timer."""
        self.lingering.connection_lost()
        self.is_lost.set()


async def connection(protocol: LingeringProtocol) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client's."""
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    streams = await asyncio.open_connection(*server.sockets[0].getsockname())
    server.close()
    return streams


async def test_lingering_close_lets_a_client_that_still_sends_read_the_answer() -> None:
    """Closed at once, the connection would be reset and the answer lost."""
    protocol = LingeringProtocol(max_seconds=10)
    reader, writer = await connection(protocol)
    for _ in range(50):
        writer.write(b"y" * 10_000)
        await asyncio.sleep(0)
    await writer.drain()
    assert await reader.read() == ANSWER
    writer.close()
    await asyncio.wait_for(protocol.is_lost.wait(), 5)
    assert protocol.closed == ["closing"]


async def test_lingering_close_ends_after_its_time() -> None:
    """A client that never closes keeps no connection."""
    protocol = LingeringProtocol(max_seconds=0.05)
    reader, writer = await connection(protocol)
    writer.write(b"y")
    assert await reader.read() == ANSWER
    await asyncio.wait_for(protocol.is_lost.wait(), 5)
    writer.close()
