"""What credentials cost the token service that nobody uses: memory, time until ready, look-ups, listing them again."""

import asyncio
import re
import statistics
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from agentidp.kube.kinds import AGENTS, CREDENTIALS
from agentidp.kube.pager import list_all
from benchmarks.measure.accounting import cpu_seconds, memory
from benchmarks.measure.http_load import keep_off_first, percentile, pin_to_first, pin_to_others, put_load
from benchmarks.result import Figure, Result, Target, ratio, series
from benchmarks.run import Run
from benchmarks.stage import etcd
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT
from benchmarks.stage.settled import Settled, settle
from benchmarks.stage.token_service import UNLIMITED, warmed_up
from devcluster.components import API_SERVER, CONTROLLER_MANAGER, ETCD
from devcluster.programs import OPERATOR, TOKEN_SERVICE

FEW, CONNECTIONS = 1_000, 32
RATE, WINDOW_SECONDS = 500.0, 3.0
METHOD = (
    f"The real token service, started again with nothing in the cluster, with {FEW:,} credentials, and with all of them,"
    f" {CREDENTIALS_PER_AGENT} to an agent; the operator stopped. Memory is what is resident once it is ready. The baseline of"
    " the time until it is ready is a list of the same objects with the same client. A look-up is measured by the server's CPU"
    " time for a token of a known client. Then known clients ask at a steady rate, open loop: while etcd is compacted and the"
    " API server started again, so that every watch is too old (410) and everything is listed anew; with nothing going on; and"
    " while another program lists the same, which tells what of it comes from the API server's work on the same machine. The"
    " service has the first core for itself, as it would not share one with an API server in a cluster; the controller manager,"
    " which would list everything anew at the same time, has ended by then."
)


class Seen(NamedTuple):
    """The service after a start."""

    ready: list[float]
    resident: float
    peak: float


class Relists(NamedTuple):
    """Percentiles of the times that answers took, in milliseconds, round by round: see `METHOD`."""

    own: list[float]
    calm: list[float]
    of_another: list[float]


async def token_index(run: Run) -> Result:
    """Memory, start, look-ups and listing again with 10,000 credentials (large: 100,000)."""
    few = run.sized(smoke=10, normal=FEW)
    count = run.sized(smoke=50, normal=10_000, large=100_000)
    starts, rounds = run.sized(smoke=1, normal=5, large=3), run.sized(smoke=1, normal=10)
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        empty = _started(stage, starts)
        some = await settle(stage, few, "few")
        small_costs = await _costs(stage, some, rounds)
        await settle(stage, count - few, "many")
        listing = [await _listing(stage) for _ in range(starts)]
        full = _started(stage, starts)
        costs = await _costs(stage, some, rounds)
        p99s = await _relists(stage, some, run.sized(smoke=1, normal=5, large=2))
        stored = await etcd.size(stage.cluster.addresses.etcd)
    listed, ready = series("listing the same objects", "s", listing), series("until it is ready", "s", full.ready)
    small, large = series(f"CPU with {few:,}", "µs/token", small_costs), series(f"CPU with {count:,}", "µs/token", costs)
    relisting, calm = series("p99 while all is listed again", "ms", p99s.own), series("p99, calm", "ms", p99s.calm)
    beside = series("p99 while another lists the same", "ms", p99s.of_another)
    p99 = ratio("p99 while all is listed again / calm", relisting.samples, calm.samples)
    index = full.resident - empty.resident
    return Result(
        title=f"The token service with {count:,} credentials",
        method=METHOD,
        series=(ready, listed, series("until it is ready, empty", "s", empty.ready), small, large, calm, relisting, beside),
        ratios=(
            p99,
            ratio("p99 while another lists the same / calm", beside.samples, calm.samples),
            ratio("ready / listing", ready.samples, listed.samples),
            ratio("look-up, all / few", large.samples, small.samples),
        ),
        figures=(
            Figure("credentials", count),
            Figure("agents", count // CREDENTIALS_PER_AGENT),
            Figure("etcd, with agents, credentials, their Secrets and the cluster's own objects", round(stored, 1), "MiB"),
            Figure("memory of the empty service", round(empty.resident), "MiB"),
            Figure("memory with all", round(full.resident), "MiB"),
            Figure("most memory on the way", round(full.peak), "MiB"),
        ),
        targets=(
            Target("index under 100 MB over the empty service", round(index * 2**20 / 1e6, 1), 100, "MB"),
            Target("ready within 15 s", ready.median, 15, "s"),
            Target("p99 while all is listed again, as a multiple of the calm one (median)", statistics.median(p99.values), 1.5),
        ),
    )


def _started(stage: Stage, times: int) -> Seen:
    """Started again so many times; memory is that of the last."""
    ready = []
    for _ in range(times):
        stage.programs.stop(TOKEN_SERVICE.name)
        began = time.monotonic()
        stage.programs.start(TOKEN_SERVICE.name, UNLIMITED)
        ready.append(time.monotonic() - began)
    told = memory(stage.programs.process(TOKEN_SERVICE.name).pid)
    return Seen(ready, told.now, told.peak)


async def _listing(stage: Stage) -> float:
    stage.run.say("listing")
    began = time.monotonic()
    await list_all(stage.admin, AGENTS)
    await list_all(stage.admin, CREDENTIALS)
    return time.monotonic() - began


async def _costs(stage: Stage, settled: Settled, rounds: int) -> list[float]:
    """CPU time of a token for clients that are known, in microseconds."""
    stage.programs.restart(TOKEN_SERVICE.name, UNLIMITED)
    pid = stage.programs.process(TOKEN_SERVICE.name).pid
    pin_to_first(pid)
    requests = await warmed_up(stage, settled, range(0, len(settled.credentials), CREDENTIALS_PER_AGENT)[:20])
    costs = []
    for number in range(rounds):
        stage.run.say(f"look-ups: round {number + 1} of {rounds}")
        before = cpu_seconds(pid)
        outcome = await put_load(stage.endpoints.token_endpoint, requests, CONNECTIONS, 1.0)
        costs.append(1e6 * (cpu_seconds(pid) - before) / outcome.statuses[200])
    return costs


async def _relists(stage: Stage, settled: Settled, rounds: int) -> Relists:
    """The p99 of known clients in milliseconds, in turn with nothing else going on, beside a list of another's, and its own."""
    requests = await warmed_up(stage, settled, range(0, len(settled.credentials), CREDENTIALS_PER_AGENT)[:20])
    keep_off_first()
    await asyncio.to_thread(stage.cluster.stop, CONTROLLER_MANAGER)
    for component in (ETCD, API_SERVER):
        pin_to_others(stage.cluster.component(component).pid)
    p99s, calm_seconds = Relists([], [], []), stage.run.sized(smoke=1.0, normal=30.0)
    for number in range(rounds):
        stage.run.say(f"listing again: round {number + 1} of {rounds}")
        p99s.own.append(await _p99_during(stage, requests, _relist(stage)))
        p99s.calm.append(await _p99_during(stage, requests, asyncio.sleep(calm_seconds)))
        p99s.of_another.append(await _p99_during(stage, requests, _listing(stage)))
    return p99s


async def _p99_during(stage: Stage, requests: tuple[bytes, ...], work: Coroutine[Any, Any, Any]) -> float:
    """In milliseconds, until the work is done."""
    during, latencies = asyncio.create_task(work), list[float]()
    while not during.done():
        latencies += await _asked(stage, requests)
    await during
    return 1000 * percentile(sorted(latencies), 99)


async def _asked(stage: Stage, requests: tuple[bytes, ...]) -> list[float]:
    """How long each answer took, in seconds, sorted. Raises RuntimeError where a request failed."""
    outcome = await put_load(stage.endpoints.token_endpoint, requests, CONNECTIONS, WINDOW_SECONDS, RATE)
    if outcome.failed:
        raise RuntimeError(f"requests of known clients failed: {outcome.statuses}, {outcome.lost} connections were lost")
    return outcome.latencies


async def _relist(stage: Stage) -> None:
    """Make every watch too old, and wait until the token service has listed everything again."""
    log = stage.programs.log(TOKEN_SERVICE.name)
    before = _listings(log)
    await etcd.compact(stage.cluster.addresses.etcd)
    await asyncio.to_thread(stage.cluster.stop, API_SERVER)
    await asyncio.to_thread(stage.cluster.start, API_SERVER)
    while _listings(log) < before + 1:  # noqa: ASYNC110 another process sets no event
        await asyncio.sleep(0.1)


def _listings(log: Path) -> int:
    """How often it has listed all credentials."""
    return len(re.findall(r"listed \d+ agentcredentials", log.read_text()))
