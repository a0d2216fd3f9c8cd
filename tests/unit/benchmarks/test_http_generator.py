"""The load generator: parsing responses."""

import asyncio

import pytest
import uvloop

from benchmarks.measure.http_generator import generate, status_in
from benchmarks.measure.http_load import Job

HEAD = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 4\r\nX-Other: 9\r\n\r\n"

ANSWERS: dict[str, tuple[bytes, int | None]] = {
    "a whole answer has its status": (HEAD + b"body", 200),
    "names of headers have no case": (HEAD.lower() + b"body", 200),
    "a failure has its status": (HEAD.replace(b"200 OK", b"429 Too Many Requests") + b"body", 429),
    "half of a head is no answer yet": (HEAD[:-3], None),
    "half of a body is no answer yet": (HEAD + b"bo", None),
    "nothing is no answer": (b"", None),
}


@pytest.mark.parametrize(("received", "status"), ANSWERS.values(), ids=ANSWERS)
def test_http_generator_parses_a_response(received: bytes, status: int | None) -> None:
    """Its status, once all of it is there."""
    assert status_in(received) == status


def test_http_generator_reports_closed_connections() -> None:
    """Each connection counts as lost, and what was answered counts; requests that find no connection end nothing."""

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"body")
        writer.close()

    async def outcome() -> tuple[dict[int, int], int]:
        async with await asyncio.start_server(answer_once, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            told = await generate(Job("127.0.0.1", port, (b"GET / HTTP/1.1\r\n\r\n",), connections=3, seconds=0.5, rate=100.0))
        return told.statuses, told.lost

    assert uvloop.run(outcome()) == ({200: 3}, 3)
