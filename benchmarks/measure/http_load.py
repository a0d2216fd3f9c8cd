"""HTTP load from a process of its own, on a core of its own where there is one to spare."""

import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from benchmarks.stage.workload import Pair


class Job(Struct, frozen=True):
    """What the generator does: these requests in turn, over so many connections; a rate of 0 is a closed loop."""

    host: str
    port: int
    requests: tuple[bytes, ...]
    connections: int
    seconds: float
    rate: float = 0.0


class Outcome(Struct, frozen=True):
    """How often each status was answered, how long that took (sorted), and connections that were closed on us."""

    seconds: float
    statuses: dict[int, int]
    latencies: list[float]
    lost: int

    @property
    def served_per_second(self) -> float:
        """Answers with 200."""
        return self.statuses.get(200, 0) / self.seconds

    @property
    def failed(self) -> int:
        """All others, and requests that got no answer."""
        return sum(count for status, count in self.statuses.items() if status != 200) + self.lost

    def percentile(self, percent: float) -> float:
        """Of the times that answers took, in seconds (nearest rank)."""
        place = max(0, -(-len(self.latencies) * percent // 100) - 1)
        return self.latencies[int(place)] if self.latencies else float("nan")


def form_request(url: str, pair: Pair) -> bytes:
    """A token request with the pair in form fields, as it goes over the wire."""
    fields = {"grant_type": "client_credentials", "client_id": pair.client_id, "client_secret": pair.client_secret}
    body = urlencode(fields).encode()
    address = urlsplit(url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: load\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def put_load(url: str, requests: tuple[bytes, ...], connections: int, seconds: float, rate: float = 0.0) -> Outcome:
    """What became of it."""
    address = urlsplit(url)
    job = Job(address.hostname or "", address.port or 80, requests, connections, seconds, rate)
    command = [sys.executable, "-m", "benchmarks.measure.http_generator"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, preexec_fn=pin_to_others)
    told, _ = await process.communicate(msgspec.json.encode(job))
    return msgspec.json.decode(told, type=Outcome)


def pin_to_first(pid: int) -> None:
    """Let a server and all its threads have the first core, and nothing else."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {0})


def pin_to_others() -> None:
    """Keep off the first core, where there is another."""
    others = set(range(os.cpu_count() or 1)) - {0}
    os.sched_setaffinity(0, others or {0})
