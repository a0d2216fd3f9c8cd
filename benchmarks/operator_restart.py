"""An operator starts over a cluster in which everything is at rest: how long until it knows that, and what it costs.

The bound beside it is what any restart must do: read all objects once.
"""

import time
from collections import Counter
from typing import NamedTuple

from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS
from agentidp.kube.pager import list_all
from benchmarks.measure.accounting import Memory, Meter, Spent, cpu_seconds, memory
from benchmarks.measure.counters import writes_at_api_server
from benchmarks.measure.probing import Probing, probing
from benchmarks.result import Bars, Figure, Result, Target, ratio, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.settled import settle
from devcluster.components import API_SERVER
from devcluster.programs import OPERATOR

RESTARTS = 3
OURS = ("agents", "agentcredentials", "secrets", "organizations", "tokenrevocations")
METHOD = (
    "Credentials are settled without an operator, then the real operator starts under its own ServiceAccount, three times."
    " Settled means: it leads, has looked at every credential, and its queue is empty. Writes are counted by the API server"
    " (apiserver_request_total). The baseline lists the same objects once, from one client, just before each start."
)


class Restart(NamedTuple):
    """The samples of one restart of the operator."""

    listing: float
    settled: float
    cpu: float
    spent: Spent
    memory: Memory
    probes: Probing
    writes: Counter[str]


async def operator_restart(run: Run) -> Result:
    """Restart over 10,000 settled credentials: seconds, memory, and writes (there should be none)."""
    count = run.sized(smoke=100, normal=10_000)
    async with staged(run, chosen=[OPERATOR]) as stage:
        await until_at_rest(stage.operator_url)  # it makes its signing keys and its Lease
        stage.programs.stop(OPERATOR.name)
        await settle(stage, count)
        restarts = [await _restart(stage, count, number) for number in range(RESTARTS)]
    return _result(restarts, count)


async def _restart(stage: Stage, count: int, number: int) -> Restart:
    stage.run.say(f"restart {number + 1} of {RESTARTS}")
    listing = await _list_everything(stage)
    before = writes_at_api_server(await stage.api_server_metrics(), OURS)
    started = time.monotonic()
    stage.programs.start(OPERATOR.name)
    meter = Meter(stage.processes(OPERATOR))
    async with probing(f"{stage.operator_url}/healthz") as probes:
        await until_at_rest(stage.operator_url, count)
        settled = time.monotonic() - started
    spent = meter.read()
    cpu, used = cpu_seconds(stage.operator_pid), memory(stage.operator_pid)
    stage.programs.stop(OPERATOR.name)
    writes = writes_at_api_server(await stage.api_server_metrics(), OURS) - before
    return Restart(listing, settled, cpu, spent, used, probes, writes)


async def _list_everything(stage: Stage) -> float:
    started = time.monotonic()
    await list_all(stage.admin, AGENTS)
    await list_all(stage.admin, CREDENTIALS)
    await list_all(stage.admin, SECRETS)
    return time.monotonic() - started


def _result(restarts: list[Restart], count: int) -> Result:
    settled = series("settled after", "s", [one.settled for one in restarts])
    listing = series("everything listed once", "s", [one.listing for one in restarts])
    peak = series("peak memory", "MiB", [one.memory.peak for one in restarts])
    rest = series("memory at rest", "MiB", [one.memory.now for one in restarts])
    probes = series("liveness probe", "s", [latency for one in restarts for latency in one.probes.latencies])
    writes = sum((one.writes for one in restarts), Counter())
    failures = sum(one.probes.failures for one in restarts)
    return Result(
        title=f"Operator restart over {count:,} settled credentials",
        method=METHOD,
        series=(
            settled,
            listing,
            series("CPU: operator", "s", [one.cpu for one in restarts]),
            series("CPU: kube-apiserver", "s", [one.spent.cpu[API_SERVER] for one in restarts]),
            series("share of the machine that others took", "", [one.spent.disturbed for one in restarts]),
            peak,
            rest,
            probes,
        ),
        ratios=(ratio("settled / listed once", settled.samples, listing.samples),),
        figures=(
            Figure("credentials", count),
            *(Figure(f"writes of {name}", writes[name]) for name in sorted({*OURS, *writes})),
            Figure("peak memory, last restart less first", round(peak.samples[-1] - peak.samples[0], 1), "MiB"),
        ),
        targets=(
            Target("settled within 30 s", max(settled.samples), 30, "s"),
            Target("under 400 MiB", max(peak.samples), 400, "MiB"),
            Target("no status or Secret written", writes.total(), 0, "writes"),
            Target("liveness probe never fails", failures, 0, "failures"),
        ),
        charts=(
            Bars("Seconds until settled, and to list everything once", "s", (settled, listing)),
            Bars("Memory of the operator", "MiB", (peak, rest)),
        ),
    )
