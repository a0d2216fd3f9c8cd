"""HTTP load from a process of its own, on a core of its own where there is one to spare."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from benchmarks.stage.workload import ClientCredentials


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
        """Return the responses with 200 per second."""
        return self.statuses.get(200, 0) / self.seconds

    @property
    def failed(self) -> int:
        """All others, and requests that got no answer."""
        return sum(count for status, count in self.statuses.items() if status != 200) + self.lost

    def percentile(self, percent: float) -> float:
        """Of the times that answers took, in seconds (nearest rank)."""
        return percentile(self.latencies, percent)


def percentile(in_order: Sequence[float], percent: float) -> float:
    """By nearest rank; not a number where there is none."""
    place = max(0, -(-len(in_order) * percent // 100) - 1)
    return in_order[int(place)] if in_order else float("nan")


def form_request(url: str, client_credentials: ClientCredentials) -> bytes:
    """A token request with the client credentials in form fields, as it goes over the wire."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": client_credentials.client_id,
        "client_secret": client_credentials.client_secret,
    }
    body = urlencode(fields).encode()
    address = urlsplit(url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: load\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def put_load(url: str, requests: tuple[bytes, ...], connections: int, seconds: float, rate: float = 0.0) -> Outcome:
    """Run the load, and return its outcome."""
    address = urlsplit(url)
    job = Job(address.hostname or "", address.port or 80, requests, connections, seconds, rate)
    command = [sys.executable, "-m", "benchmarks.measure.http_generator"]
    pipe = asyncio.subprocess.PIPE
    undisturbed = _keep_time if rate else _generate_undisturbed
    with tempfile.TemporaryFile() as output:  # of a pipe, asyncio has lost the end when the process ended first
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=output, preexec_fn=undisturbed)
        await process.communicate(msgspec.json.encode(job))
        if process.returncode:
            raise RuntimeError(f"the load generator ended with exit status {process.returncode}")
        output.seek(0)
        return msgspec.json.decode(output.read(), type=Outcome)


def pin_to_first(pid: int) -> None:
    """Let a server and all its threads have the first core, and nothing else."""
    _pin(pid, {0})


def pin_to_others(pid: int) -> None:
    """Keep a process and all its threads off the first core, where there is another."""
    _pin(pid, _others())


def keep_off_first() -> None:
    """The same for this process, and whatever it starts from now on."""
    pin_to_others(os.getpid())


def _pin(pid: int, cores: set[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _others() -> set[int]:
    return set(range(os.cpu_count() or 1)) - {0} or {0}


def _generate_undisturbed() -> None:
    """Off the first core, and before everything else there, where that is allowed: else its own waiting would be measured."""
    keep_off_first()
    with suppress(PermissionError):
        os.nice(-20)


def _keep_time() -> None:
    """The same for who sleeps between requests: at that priority, too, it would wait milliseconds for whoever is at work."""
    keep_off_first()
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
