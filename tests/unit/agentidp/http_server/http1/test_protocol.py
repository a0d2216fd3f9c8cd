"""The bounds of the HTTP protocol, on a real server: who exceeds them is cut off, and nobody else waits."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import uvloop
from fastapi import FastAPI, Request, Response

from agentidp.http_server.asgi import Receive, Scope, Send
from agentidp.http_server.http1.connections import ConnectionReaper
from agentidp.http_server.http1.limits import Limits
from agentidp.http_server.http1.protocol import BoundedProtocol
from agentidp.http_server.server import Server, server_for
from tests.support.clocks import ManualClock

HEAD = b"POST /nothing HTTP/1.1\r\nHost: here\r\n"
SHORT = b"POST /echo HTTP/1.1\r\nHost:\r\n\r\n"
WAITS = b"POST /waits HTTP/1.1\r\nHost:\r\n\r\n"
UNFINISHED = b"POST /echo HTTP/1.1\r\nHost:\r\nContent-Length: 9\r\n\r\nhalf"
LARGEST_READ = 262_144
MAX_BODY_BYTES = 16_384
LONGER_THAN_A_HEAD_MAY_TAKE = 0.8
LIMITS = Limits(max_head_seconds=0.5)
Address = tuple[str, int]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where the server is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def heard() -> asyncio.Queue[str]:
    """What requests of /waits are told."""
    return asyncio.Queue()


@pytest.fixture
async def server(listening: socket.socket, heard: asyncio.Queue[str]) -> AsyncIterator[Server]:
    """It knows some paths, and not that of HEAD."""
    app = FastAPI()

    @app.post("/waits")
    async def waits(request: Request) -> Response:
        await request.body()
        heard.put_nowait("begun")
        heard.put_nowait((await request.receive())["type"])
        return Response(b"late")

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(0.001)  # more could be read meanwhile
        return Response(body)

    @app.post("/slow")
    async def slow() -> Response:
        await asyncio.sleep(LONGER_THAN_A_HEAD_MAY_TAKE)
        return Response()

    @app.post("/refuses")
    async def refuses(request: Request) -> Response:
        """As the token service and the management API do."""
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_BODY_BYTES:
                break
        return Response(status_code=413)

    @app.post("/large")
    async def large() -> Response:
        return Response(b"x" * 500_000)

    server = server_for(app, LIMITS)
    serving = asyncio.create_task(server.serve([listening]))
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
def address(server: Server, listening: socket.socket) -> Address:
    """Of the server."""
    address: Address = listening.getsockname()
    return address


LEFT = {
    "nothing": b"",
    "half a head": HEAD,
    "half a body": UNFINISHED,
    "a served request": SHORT,
    "a served request and half a head": SHORT + HEAD,
    "many requests": SHORT * 20,
    "a request that is being served": b"POST /slow HTTP/1.1\r\nHost:\r\n\r\n",
    "requests that wait for one that is being served": b"POST /slow HTTP/1.1\r\nHost:\r\n\r\n" + SHORT * 3,
    "a malformed request": b"POST\r\n\r\n",
    "a request that is refused": b"POST /echo HTTP/1.1\r\n\r\n",
    "a body that is too large": b"POST /refuses HTTP/1.1\r\nHost:\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999,
    "an upgrade": SHORT[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("sent", LEFT.values(), ids=LEFT)
async def test_protocol_is_freed_when_its_connection_ends(sent: bytes, address: Address) -> None:
    """Without a garbage collection, which is rare; else connections that come and go would use up the memory."""
    gc.collect()
    of_other_tests = protocols()
    gc.disable()
    try:
        for _ in range(3):
            _, writer = await asyncio.open_connection(*address)
            writer.write(sent)
            await asyncio.sleep(0.05)
            writer.close()
        async with asyncio.timeout(30):
            while any(protocol not in of_other_tests for protocol in protocols()):  # noqa: ASYNC110 nothing tells of it
                await asyncio.sleep(0.1)
    finally:
        gc.enable()


def protocols() -> list[object]:
    """Every protocol that is in memory."""
    return [thing for thing in gc.get_objects() if isinstance(thing, BoundedProtocol)]


PIPELINED = {
    "nothing": b"",
    "a request": SHORT,
    "the same request": WAITS * 3,
    "half a head": SHORT + HEAD,
    "half a body": UNFINISHED,
}


@pytest.mark.parametrize("pipelined", PIPELINED.values(), ids=PIPELINED)
async def test_protocol_tells_the_running_request_that_its_client_left(
    pipelined: bytes, server: Server, address: Address, heard: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    """By `http.disconnect` (the ASGI specification), whatever came after it. What waited never begins, nothing is logged."""
    _, writer = await asyncio.open_connection(*address)
    writer.write(WAITS + pipelined)
    assert await asyncio.wait_for(heard.get(), 5) == "begun"
    writer.transport.abort()
    assert await asyncio.wait_for(heard.get(), 5) == "http.disconnect"
    await all_ended(server)
    assert heard.empty()
    assert caplog.messages == []


def test_protocol_is_silent_about_an_answer_whose_client_left(
    listening: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """To send is a no-op then (the ASGI specification, "Disconnected Client"). On uvloop, whose closed transports refuse it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(leave_before_the_answer(listening))
    assert caplog.messages == []


async def leave_before_the_answer(listening: socket.socket) -> None:
    """Send two requests, and leave while the first is served."""
    begun, gone = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            begun.set()
            await gone.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    server = server_for(app, LIMITS)
    serving = asyncio.create_task(server.serve([listening]))
    _, writer = await asyncio.open_connection(*listening.getsockname())
    writer.write(SHORT * 2)
    await asyncio.wait_for(begun.wait(), 5)
    writer.transport.abort()
    async with asyncio.timeout(5):
        while server.server_state.connections:  # noqa: ASYNC110 nothing tells of it
            await asyncio.sleep(0.01)
    gone.set()
    await all_ended(server)
    server.should_exit = True
    await serving


async def test_protocol_tells_the_running_request_that_the_reaper_aborted(
    server: Server, address: Address, heard: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Here because the next request does not end."""
    clock = ManualClock()
    reaper = ConnectionReaper(server.server_state, 10, LIMITS, clock)
    _, writer = await asyncio.open_connection(*address)
    writer.write(WAITS + UNFINISHED)
    assert await asyncio.wait_for(heard.get(), 5) == "begun"
    reaper.check()
    clock.now += LIMITS.max_stall_seconds
    reaper.check()
    assert await asyncio.wait_for(heard.get(), 5) == "http.disconnect"
    await all_ended(server)
    assert caplog.messages == []
    writer.close()


async def all_ended(server: Server) -> None:
    """Wait until no request runs, and no connection is there."""
    async with asyncio.timeout(5):
        while server.server_state.tasks or server.server_state.connections:  # noqa: ASYNC110 nothing tells of it
            await asyncio.sleep(0.01)


ENDLESS = {
    "a header": (HEAD + b"X: ", b"a"),
    "headers": (HEAD, b"X: a\r\n"),
    "a path": (b"GET /", b"a"),
    "a trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a"),
    "a body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nbody\r\n"),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_protocol_aborts_an_endless_request(what: str, address: Address) -> None:
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
async def test_protocol_aborts_a_connection_without_a_whole_head(begun: bytes, address: Address) -> None:
    """After a while, on a new connection and on one that was good."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(begun)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)


@pytest.mark.parametrize("lines", [b"", b"\r\n", b"\r\n" * 1000], ids=["nothing", "an empty line", "many"])
async def test_protocol_closes_an_idle_connection(lines: bytes, server: Server, address: Address) -> None:
    """When a connection is kept for no longer. Empty lines are ignored (RFC 9112, section 2.2), and are no request."""
    server.config.timeout_keep_alive = 1
    reader, writer = await asyncio.open_connection(*address)
    writer.write(a_post("/echo", b"body"))
    assert await asyncio.wait_for(answer_to_next(reader), 5) == (200, b"body")
    writer.write(lines)
    assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()


async def test_protocol_keeps_a_connection_whose_next_request_began(
    server: Server, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it then takes."""
    monkeypatch.setattr(server.config, "timeout_keep_alive", LONGER_THAN_A_HEAD_MAY_TAKE / 2)
    reader, writer = await asyncio.open_connection(*address)
    slow = a_post("/slow", b"")
    writer.write(a_post("/echo", b"body") + slow[:20])
    assert await asyncio.wait_for(answer_to_next(reader), 5) == (200, b"body")
    writer.write(slow[20:])
    assert await asyncio.wait_for(answer_to_next(reader), 5) == (200, b"")
    writer.close()


async def test_protocol_answers_many_requests_in_a_row(address: Address) -> None:
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


async def test_protocol_bounds_the_requests_that_wait(server: Server, address: Address) -> None:
    """However many are sent: of the others no more is kept than one read."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(SHORT * 100_000)
    waiting, unparsed = [], []
    for _ in range(300):
        await asyncio.wait_for(answer_to_next(reader), 10)
        (connection,) = server.server_state.connections
        waiting.append(len(connection.pipeline))  # type: ignore[union-attr]
        unparsed.append(len(connection.flow.unparsed))  # type: ignore[union-attr]
    assert 0 < max(waiting) < LIMITS.max_pipelined_requests + LIMITS.chunk_bytes / len(SHORT) + 1
    assert 0 < max(unparsed) <= LARGEST_READ
    assert await answered(address)
    writer.transport.abort()


async def test_protocol_with_reaper_aborts_a_client_that_reads_nothing(server: Server, address: Address) -> None:
    """Else it would keep what waits to be written, and what waits to be parsed."""
    clock = ManualClock()
    reaper = ConnectionReaper(server.server_state, 10, LIMITS, clock)
    reader, writer = await asyncio.open_connection(*address, limit=1)
    writer.write(a_post("/large", b"") * 50)
    assert (await asyncio.wait_for(reader.readexactly(5), 10)) == b"HTTP/"
    async with asyncio.timeout(10):
        while server.server_state.connections:
            reaper.check()
            clock.now += LIMITS.max_stall_seconds
            await asyncio.sleep(0.05)
    writer.close()


BODIES = [b"%d" % number * size for number, size in enumerate([0, 1, 900, 1024, 3_000, 1, 70_000, 20_000, 1, 300_000, 5] * 4)]


@pytest.mark.parametrize("step", [LIMITS.chunk_bytes - 1, LIMITS.chunk_bytes + 1, 10_000_000])
async def test_protocol_answers_in_order(step: int, address: Address) -> None:
    """However large each is, and however it is cut."""
    reader, writer = await asyncio.open_connection(*address)
    sending = asyncio.create_task(send_in_steps(writer, b"".join(a_post("/echo", body) for body in BODIES), step))
    for body in BODIES:
        assert await asyncio.wait_for(answer_to_next(reader), 10) == (200, body)
    await sending
    writer.close()


async def test_protocol_keeps_a_client_that_waits_for_an_answer(address: Address) -> None:
    """Also where the next head has been sent and not all of it was looked at."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(a_post("/slow", b"") + a_post("/echo?" + "x" * 700, b"") * 30)
    for _ in range(31):
        assert (await asyncio.wait_for(answer_to_next(reader), 10))[0] == 200
    writer.close()


LARGE_BODIES = {
    "announced": lambda size: a_post("/refuses", b"x" * size),
    "in chunks": lambda size: in_chunks("/refuses", size),
    "of no path": lambda size: a_post("/nothing", b"x" * size),
    "announced, and the client waits for an interim answer": lambda size: a_post(
        "/refuses", b"x" * size, b"Expect: 100-continue"
    ),
    "with Upgrade": lambda size: a_post("/refuses", b"x" * size, b"Connection: upgrade", b"Upgrade: h2c"),
}


@pytest.mark.parametrize("megabytes", [1, 5])
@pytest.mark.parametrize("how", LARGE_BODIES)
async def test_protocol_lets_a_client_with_a_large_body_see_the_answer(how: str, megabytes: int, address: Address) -> None:
    """And that it is the last one of the connection (RFC 9112, section 9.6), though it reads only when it has sent all."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(LARGE_BODIES[how](megabytes * 1_000_000) + SHORT)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404" if how == "of no path" else b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in answer
    writer.close()


async def test_protocol_discards_what_follows_the_last_answer_up_to_a_bound(address: Address) -> None:
    """A client that never stops is cut off."""
    _, writer = await asyncio.open_connection(*address)
    writer.write(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        await send_much(writer, b"x" * 100, megabytes=60)


async def test_protocol_sends_an_interim_answer_to_http_1_1_only(address: Address) -> None:
    """RFC 9110, section 10.1.1."""
    for version, begin in ((b"1.1", b"HTTP/1.1 100"), (b"1.0", b"HTTP/1.1 200")):
        reader, writer = await asyncio.open_connection(*address)
        head = b"POST /echo HTTP/%b\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n" % version
        writer.write(head + (b"body" if version == b"1.0" else b""))
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(begin)
        writer.close()


async def test_protocol_answers_431_and_413(address: Address) -> None:
    """RFC 6585, section 5, and RFC 9112, section 7.1.1: extensions of chunks are bounded, too."""
    chunked = b"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1;a=" + b"x" * 1_200_000
    for request, status in ((HEAD + b"X: " + b"a" * 100_000, b"431"), (chunked, b"413")):
        reader, writer = await asyncio.open_connection(*address)
        for place in range(0, len(request), 10_000):
            writer.write(request[place : place + 10_000])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await asyncio.wait_for(reader.read(), 10)).split()[1] == status
        writer.close()


def a_post(path: str, body: bytes, *lines: bytes) -> bytes:
    """A request."""
    head = [b"POST %b HTTP/1.1" % path.encode(), b"Host: here", b"Content-Length: %d" % len(body), *lines, b"", b""]
    return b"\r\n".join(head) + body


def in_chunks(path: str, size: int) -> bytes:
    """A request of unknown length."""
    head = b"POST %b HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n" % path.encode()
    return head + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * (size // 1000) + b"0\r\n\r\n"


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


async def send_much(writer: asyncio.StreamWriter, more: bytes, megabytes: int = 30) -> None:
    """So much of it, which is more than is discarded."""
    for _ in range(megabytes * 10):
        writer.write(more * (100_000 // len(more)))
        await writer.drain()
        await asyncio.sleep(0)


async def answered(address: Address) -> bool:
    """Whether another client gets an answer."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(HEAD + b"Connection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    return answer.startswith(b"HTTP/1.1 404")
