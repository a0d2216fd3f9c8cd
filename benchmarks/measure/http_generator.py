"""The load generator, a process of its own: `python -m benchmarks.measure.http_generator` reads a Job and writes an Outcome.

Closed loop: each connection sends its next request as soon as it has the answer. Open loop: requests come at a steady rate
whatever the server does, and wait for a free connection. That wait counts; that event loops sleep whole milliseconds does not.

A hand-written client, because it must be several times as fast as the server: requests are bytes made beforehand, and of an
answer only the status line and the length are read.
"""

import asyncio
import sys
import time
from collections import Counter, deque
from itertools import cycle

import msgspec
import uvloop

from benchmarks.measure.http_load import Job, Outcome

MOST_LATENCIES = 200_000


class Load:
    """What all connections have done."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.lost = 0
        self.ends = float("inf")
        self._idle: deque[Client] = deque()
        self._due: deque[float] = deque()
        self._requests = cycle(job.requests)

    def answered(self, client: "Client", status: int, since: float) -> None:
        """Count it, and let the client send again."""
        now = time.perf_counter()
        if now < self.ends:
            self.statuses[status] += 1
            if len(self.latencies) < MOST_LATENCIES:
                self.latencies.append(now - since)
            self.idle(client)

    def idle(self, client: "Client") -> None:
        """The client may send its next request, now or when one is due."""
        if not self.job.rate:
            client.send(next(self._requests), time.perf_counter())
        elif self._due:
            client.send(next(self._requests), self._due.popleft())
        else:
            self._idle.append(client)

    def due(self) -> None:
        """Send the next request of the schedule."""
        if self._idle:
            self._idle.popleft().send(next(self._requests), time.perf_counter())
        else:
            self._due.append(time.perf_counter())


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._since = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport of the new connection."""
        self._transport = transport  # type: ignore[assignment]
        self._load.idle(self)

    def send(self, request: bytes, since: float) -> None:
        """Send a request whose time counts from then."""
        self._since = since
        if self._transport and not self._transport.is_closing():
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Perhaps the end of an answer."""
        self._buffer += data
        status = status_in(self._buffer)
        if status:
            self._buffer = b""
            self._load.answered(self, status, self._since)

    def connection_lost(self, _: Exception | None) -> None:
        """The server has closed it."""
        if time.perf_counter() < self._load.ends:
            self._load.lost += 1


def status_in(received: bytes) -> int | None:
    """The status of an answer, once all of it is there; every one has a Content-Length, in whatever case."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = received[: head_end + 2].lower()
    at = head.index(b"\r\ncontent-length:") + 17
    length = int(head[at : head.index(b"\r", at)])
    return int(head[9:12]) if len(received) >= head_end + 4 + length else None


async def generate(job: Job) -> Outcome:
    """Put the load on the server for as long as the job says."""
    load, loop = Load(job), asyncio.get_running_loop()
    for _ in range(job.connections):
        await loop.create_connection(lambda: Client(load), job.host, job.port)
    began = time.perf_counter()
    load.ends = began + job.seconds
    if job.rate:
        await _at_rate(load, began)
    else:
        await asyncio.sleep(job.seconds)
    return Outcome(job.seconds, dict(load.statuses), sorted(load.latencies), load.lost)


async def _at_rate(load: Load, began: float) -> None:
    number = 0
    while (now := time.perf_counter()) < load.ends:
        while (moment := began + number / load.job.rate) <= now:
            load.due()
            number += 1
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))


def main() -> None:
    """From standard input to standard output."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(generate(job))))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
