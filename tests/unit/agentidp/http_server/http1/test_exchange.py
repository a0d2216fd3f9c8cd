"""Answers as our exchange writes them, compared with uvicorn's own cycle: the same bytes, ends and refusals."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from agentidp.http_server.http1.exchange import Exchange

NAMES = st.sampled_from([b"content-type", b"Cache-Control", b"x-extra", b"connection"])
VALUES = st.sampled_from(
    [b"", b"a", b"close", b"keep-alive, Close", b"tab\there", b"\xc3\xa9", b"a\r\nx: y", b"a\nb", b"\0", b"\x7f"]
)
FRAMINGS = st.sampled_from([b"none", b"length", b"chunked", b"wrong length"])


class Recording:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written += data

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed


async def outcome(cycle: type[Any], method: str, messages: list[dict[str, Any]], *, keep_alive: bool) -> tuple[Any, ...]:
    """What is written, whether the connection ends, how often the end is told, and the refusal."""
    transport, ends, refusal = Recording(), list[None](), ""
    one = exchange_on(cycle, transport, method, keep_alive=keep_alive, on_response=lambda: ends.append(None))
    try:
        for message in messages:
            await one.send(message)
    except RuntimeError as error:
        refusal = str(error)
    return transport.written, transport.closed, len(ends), refusal, one.response_complete


def exchange_on(
    cycle: type[Any], transport: Recording, method: str, *, keep_alive: bool, on_response: Callable[[], None] = list
) -> Any:
    """One of this class."""
    return cycle(
        scope={"method": method},
        transport=transport,
        flow=FlowControl(transport),  # type: ignore[arg-type]
        logger=logging.getLogger("tests"),
        access_logger=logging.getLogger("tests"),
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=on_response,
    )


def messages_of(status: int, headers: list[tuple[bytes, bytes]], framing: bytes, parts: list[bytes]) -> list[dict[str, Any]]:
    """An answer as an application sends it."""
    length = sum(map(len, parts)) + (framing == b"wrong length")
    framed = {
        b"length": [(b"content-length", b"%d" % length)],
        b"wrong length": [(b"Content-Length", b"%d" % length)],
        b"chunked": [(b"transfer-encoding", b"chunked")],
    }.get(framing, [])
    bodies = [{"type": "http.response.body", "body": part, "more_body": True} for part in parts[:-1]]
    last = {"type": "http.response.body", "body": parts[-1]}
    return [{"type": "http.response.start", "status": status, "headers": [*headers, *framed]}, *bodies, last]


@given(
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    status=st.sampled_from([200, 204, 304, 404, 503]),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    framing=FRAMINGS,
    parts=st.lists(st.sampled_from([b"", b"a", b"content"]), min_size=1, max_size=3),
    keep_alive=st.booleans(),
)
def test_exchange_writes_the_bytes_of_uvicorn(
    method: str, status: int, headers: list[tuple[bytes, bytes]], framing: bytes, parts: list[bytes], keep_alive: bool
) -> None:
    """Where an answer is refused halfway, the head may have waited: then nothing of it was written."""
    messages = messages_of(status, headers, framing, parts)
    ours = asyncio.run(outcome(Exchange, method, messages, keep_alive=keep_alive))
    theirs = asyncio.run(outcome(RequestResponseCycle, method, messages, keep_alive=keep_alive))
    assert ours[1:] == theirs[1:]
    assert ours[0] == theirs[0] or (theirs[3] and theirs[0].startswith(ours[0]))


async def test_exchange_writes_nothing_to_a_connection_that_is_gone() -> None:
    """It is a no-op to send then (the ASGI specification, "Disconnected Client"), also before uvicorn tells of it."""
    for parts in ([b"all"], [b"a part", b"the rest"]):
        start, *bodies = messages_of(200, [], b"length", parts)
        transport = Recording()
        one = exchange_on(Exchange, transport, "GET", keep_alive=True)
        await one.send(start)
        transport.close()
        for body in bodies:
            await one.send(body)
        assert (transport.written, one.disconnected) == (b"", True)


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body", "body": b""}],
        [{"type": "http.response.start", "status": 200, "headers": []}] * 2,
        [*messages_of(200, [], b"length", [b"a"]), {"type": "http.response.body", "body": b"more"}],
    ],
    ids=["content before a head", "two heads", "content after the end"],
)
async def test_exchange_refuses_messages_out_of_order(messages: list[dict[str, Any]]) -> None:
    """In uvicorn's words."""
    ours = await outcome(Exchange, "GET", messages, keep_alive=True)
    theirs = await outcome(RequestResponseCycle, "GET", messages, keep_alive=True)
    assert ours[3]
    assert ours[3] == theirs[3]
