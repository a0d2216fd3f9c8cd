"""The bounds of the HTTP protocol, on a real server: who exceeds them is cut off, and nobody else waits."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from agentidp.serving import protocol
from agentidp.serving.server import server_for

HEAD = b"POST /nothing HTTP/1.1\r\nHost: here\r\n"
Address = tuple[str, int]


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Address]:
    """Of a server that knows no path."""
    monkeypatch.setattr(protocol, "MAX_HEAD_SECONDS", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_for(FastAPI())
    serving = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()
    server.should_exit = True
    await serving


ENDLESS = {
    "a header": (HEAD + b"X: ", b"a"),
    "headers": (HEAD, b"X: a\r\n"),
    "a path": (b"GET /", b"a"),
    "a trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a"),
    "a body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nbody\r\n"),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_does_not_end_is_cut_off(what: str, address: Address) -> None:
    """Long before it takes time or memory."""
    begin, more = ENDLESS[what]
    _, writer = await asyncio.open_connection(*address)
    began = time.monotonic()
    writer.write(begin)
    with pytest.raises(ConnectionError):
        await send_much(writer, more)
    assert time.monotonic() - began < 5
    assert await answered(address)


@pytest.mark.parametrize("begun", [b"", HEAD], ids=["nothing", "half a head"])
async def test_who_sends_nothing_more_is_cut_off(begun: bytes, address: Address) -> None:
    """After a while, on a new connection and on one that was good."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(begun)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)


async def test_many_requests_in_a_row_are_answered(address: Address) -> None:
    """Also when they come in one piece, and when they come in small ones."""
    reader, writer = await asyncio.open_connection(*address)
    request = HEAD + b"Content-Length: 4\r\n\r\nbody"
    writer.write(request * 3_000)
    for place in range(0, len(request), 10):
        writer.write(request[place : place + 10])
        await asyncio.sleep(0.01)
    for _ in range(3_001):
        assert (await asyncio.wait_for(reader.readuntil(b'Not Found"}'), 10)).startswith(b"HTTP/1.1 404")
    writer.close()


async def send_much(writer: asyncio.StreamWriter, more: bytes) -> None:
    """Ten megabytes of it."""
    for _ in range(100):
        writer.write(more * (100_000 // len(more)))
        await writer.drain()
        await asyncio.sleep(0)


async def answered(address: Address) -> bool:
    """Whether another client gets an answer."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(HEAD + b"Connection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    return answer.startswith(b"HTTP/1.1 404")
