"""The bounds of the HTTP protocol, on a real server: who exceeds them is cut off, and nobody else waits."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI, Request, Response

from agentidp.serving import protocol
from agentidp.serving.connections import PATIENCE_SECONDS, Watchman
from agentidp.serving.protocol import MOST_WAITING, PIECE_BYTES
from agentidp.serving.server import Server, server_for
from tests.support.clocks import ManualClock

HEAD = b"POST /nothing HTTP/1.1\r\nHost: here\r\n"
SHORT = b"POST /echo HTTP/1.1\r\n\r\n"
LARGEST_READ = 262_144
LONGER_THAN_A_HEAD_MAY_TAKE = 0.8
Address = tuple[str, int]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where the server is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
async def server(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """It knows three paths, and not that of HEAD."""
    monkeypatch.setattr(protocol, "MAX_HEAD_SECONDS", 0.5)
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(0.001)  # more could be read meanwhile
        return Response(body)

    @app.post("/slow")
    async def slow() -> Response:
        await asyncio.sleep(LONGER_THAN_A_HEAD_MAY_TAKE)
        return Response()

    @app.post("/large")
    async def large() -> Response:
        return Response(b"x" * 500_000)

    server = server_for(app)
    serving = asyncio.create_task(server.serve([listening]))
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
def address(server: Server, listening: socket.socket) -> Address:
    """Of the server."""
    address: Address = listening.getsockname()
    return address


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


async def test_few_requests_of_a_connection_wait_for_their_turn(server: Server, address: Address) -> None:
    """However many are sent: of the others no more is kept than one read."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(SHORT * 100_000)
    waiting, kept = [], []
    for _ in range(300):
        await asyncio.wait_for(answer_to_next(reader), 10)
        (connection,) = server.server_state.connections
        waiting.append(len(connection.pipeline))  # type: ignore[union-attr]
        kept.append(len(connection._reading.kept))  # type: ignore[union-attr]
    assert 0 < max(waiting) < MOST_WAITING + PIECE_BYTES / len(SHORT) + 1
    assert 0 < max(kept) <= LARGEST_READ
    assert await answered(address)
    writer.transport.abort()


async def test_who_reads_no_answer_is_cut_off(server: Server, address: Address) -> None:
    """Else it would keep what waits to be written, and what waits to be parsed."""
    clock = ManualClock()
    watchman = Watchman(server.server_state, 10, clock)
    reader, writer = await asyncio.open_connection(*address, limit=1)
    writer.write(a_post("/large", b"") * 50)
    assert (await asyncio.wait_for(reader.readexactly(5), 10)) == b"HTTP/"
    async with asyncio.timeout(10):
        while server.server_state.connections:
            watchman.look()
            clock.now += PATIENCE_SECONDS
            await asyncio.sleep(0.05)
    writer.close()


BODIES = [b"%d" % number * size for number, size in enumerate([0, 1, 900, 1024, 3_000, 1, 70_000, 20_000, 1, 300_000, 5] * 4)]


@pytest.mark.parametrize("step", [PIECE_BYTES - 1, PIECE_BYTES + 1, 10_000_000])
async def test_what_is_sent_in_a_row_is_answered_in_order(step: int, address: Address) -> None:
    """However large each is, and however it is cut."""
    reader, writer = await asyncio.open_connection(*address)
    sending = asyncio.create_task(send_in_steps(writer, b"".join(a_post("/echo", body) for body in BODIES), step))
    for body in BODIES:
        assert await asyncio.wait_for(answer_to_next(reader), 10) == (200, body)
    await sending
    writer.close()


async def test_who_waits_for_an_answer_is_not_cut_off(address: Address) -> None:
    """Also where the next head has been sent and not all of it was looked at."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(a_post("/slow", b"") + a_post("/echo?" + "x" * 700, b"") * 30)
    for _ in range(31):
        assert (await asyncio.wait_for(answer_to_next(reader), 10))[0] == 200
    writer.close()


async def test_what_follows_a_wish_for_another_protocol_is_not_taken_for_http(address: Address) -> None:
    """The wish is not fulfilled, and the connection goes on with HTTP."""
    reader, writer = await asyncio.open_connection(*address)
    for _ in range(2):
        writer.write(HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + b"\x81\r\n" * PIECE_BYTES)
        assert (await asyncio.wait_for(answer_to_next(reader), 10))[0] == 404
    writer.close()


def a_post(path: str, body: bytes) -> bytes:
    """A request."""
    return b"POST %b HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body)


async def answer_to_next(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def send_in_steps(writer: asyncio.StreamWriter, data: bytes, step: int) -> None:
    """So many bytes at a time."""
    for place in range(0, len(data), step):
        writer.write(data[place : place + step])
        await writer.drain()


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
