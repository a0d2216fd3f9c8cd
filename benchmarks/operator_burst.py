"""A thousand credentials at once: bcrypt is the bound, and everything else should disappear behind it.

The bound is measured in the same run, before and after each burst, with the operator's own hashing pool on an idle operator.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from agentidp.domain.resources import AgentCredential, ConditionStatus
from agentidp.domain.resources.conditions import READY, condition
from agentidp.kube.kinds import CREDENTIALS
from benchmarks.measure.accounting import Meter, Spent, main_thread_cpu_seconds, memory
from benchmarks.measure.counters import total
from benchmarks.measure.hashing import CORES, seconds_for_hashes
from benchmarks.measure.probing import Probing, probing
from benchmarks.result import Bars, Figure, Line, Lines, Result, Series, Target, ratio, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT, credential, make_agents, make_namespace, side_by_side
from benchmarks.stage.operator_state import exposition, until_at_rest
from benchmarks.stage.watching import watching
from devcluster.programs import OPERATOR

HASHES_TO_MEASURE = 40 * CORES
LAG_EVERY_SECONDS = 0.5
METHOD = (
    "Agents exist and are registered; then all credentials are created, 32 requests at a time, and a watch notes when each is"
    " Ready. Bound: so many bcrypt hashes by the operator's own pool on all cores, measured before and after each burst."
    " API server, etcd, the operator and this benchmark share the same cores; their CPU seconds are counted apart."
)


class Burst(NamedTuple):
    """The samples of one burst of credentials."""

    bound: float
    ready: list[float]
    """Seconds from the first request, sorted."""
    created: float
    spent: Spent
    loop_cpu: float
    lags: list[float]
    probes: Probing
    peak: float


async def operator_burst(run: Run) -> Result:
    """1,000 credentials at once: seconds until all are Ready, beside the bound of hashing; event-loop lag; probes."""
    count, rounds = run.sized(smoke=40, normal=1_000), run.sized(smoke=1, normal=3)
    async with staged(run, chosen=[OPERATOR]) as stage:
        await until_at_rest(stage.operator_url)
        bursts = [await _burst(stage, count, f"burst-{number + 1}") for number in range(rounds)]
    return _result(bursts, count)


async def _burst(stage: Stage, count: int, namespace: str) -> Burst:
    await _prepare(stage, count, namespace)
    stage.run.say(f"{namespace}: measuring the bound")
    before = await seconds_for_hashes(HASHES_TO_MEASURE)
    stage.run.say(f"{namespace}: {count} credentials")
    await exposition(stage.operator_url)  # forgets the lag that was seen until now
    loop_cpu = main_thread_cpu_seconds(stage.operator_pid)
    async with probing(f"{stage.operator_url}/healthz") as probes, _lags(stage) as lags:
        meter = Meter(stage.processes(OPERATOR))
        ready, created = await _declare(stage, count, namespace)
        spent = meter.read()
    loop_cpu = main_thread_cpu_seconds(stage.operator_pid) - loop_cpu
    await until_at_rest(stage.operator_url)
    after = await seconds_for_hashes(HASHES_TO_MEASURE)
    bound = count * (before + after) / 2 / HASHES_TO_MEASURE
    return Burst(bound, ready, created, spent, loop_cpu, lags, probes, memory(stage.operator_pid).peak)


async def _prepare(stage: Stage, count: int, namespace: str) -> None:
    await make_namespace(stage.admin, namespace)
    agents = range(-(-count // CREDENTIALS_PER_AGENT))
    await make_agents(stage.admin, namespace, (f"agent-{place}" for place in agents))
    await until_at_rest(stage.operator_url)


async def _declare(stage: Stage, count: int, namespace: str) -> tuple[list[float], float]:
    """When each was Ready, and when the last was created, in seconds since the first request."""
    ready: dict[str, float] = {}
    all_ready = asyncio.Event()
    started = time.monotonic()

    def tell(credential: AgentCredential) -> None:
        if is_ready(credential) and credential.metadata.name not in ready:
            ready[credential.metadata.name] = time.monotonic() - started
            if len(ready) == count:
                all_ready.set()

    async with watching(stage.admin, CREDENTIALS, tell, namespace):
        started = time.monotonic()
        declared = (
            credential(namespace, f"credential-{place}", f"agent-{place // CREDENTIALS_PER_AGENT}") for place in range(count)
        )
        await side_by_side(stage.admin.create(CREDENTIALS, one) for one in declared)
        created = time.monotonic() - started
        await all_ready.wait()
    return sorted(ready.values()), created


def is_ready(credential: AgentCredential) -> bool:
    """Whether its secret is published and delivered."""
    ready_condition = condition(credential.status.conditions, READY)
    return ready_condition is not None and ready_condition.status is ConditionStatus.TRUE


@asynccontextmanager
async def _lags(stage: Stage) -> AsyncIterator[list[float]]:
    """The worst delay of the operator's event loop in each half second, as it has measured it itself."""
    lags: list[float] = []

    async def ask() -> None:
        while True:
            await asyncio.sleep(LAG_EVERY_SECONDS)
            lags.append(total("agentidp_operator_loop_lag_seconds", await exposition(stage.operator_url)))

    asking = asyncio.create_task(ask())
    try:
        yield lags
    finally:
        asking.cancel()
        await asyncio.wait([asking])


def _result(bursts: list[Burst], count: int) -> Result:
    seconds = series("all Ready after", "s", [one.ready[-1] for one in bursts])
    bound = series("bound: hashing alone, all cores", "s", [one.bound for one in bursts])
    lag = series("event-loop lag, worst of each half second", "s", [lag for one in bursts for lag in one.lags])
    probes = series("liveness probe", "s", [latency for one in bursts for latency in one.probes.latencies])
    beyond = ratio("all Ready / bound", seconds.samples, bound.samples)
    failures = sum(one.probes.failures for one in bursts)
    return Result(
        title=f"{count:,} credentials applied at once",
        method=METHOD,
        series=(
            seconds,
            bound,
            series("all created after", "s", [one.created for one in bursts]),
            *_costs(bursts, count),
            series("share of the machine that others took", "", [one.spent.disturbed for one in bursts]),
            lag,
            probes,
            series("peak memory of the operator", "MiB", [one.peak for one in bursts]),
        ),
        ratios=(beyond,),
        figures=(Figure("credentials", count), Figure("cores", CORES)),
        targets=(
            Target("all Ready within the bound of hashing + 25 %", max(beyond.values), 1.25),
            Target("event-loop lag under 100 ms", max(lag.samples), 0.1, "s"),
            Target("liveness probe never fails", failures, 0, "failures"),
        ),
        charts=(
            Lines("Credentials that are Ready", "seconds since the first request", "credentials", tuple(_lines(bursts, count))),
            Bars("CPU milliseconds for each credential", "ms", tuple(_costs(bursts, count)[:-1])),  # less what is not ours
        ),
    )


def _costs(bursts: list[Burst], count: int) -> list[Series]:
    """CPU time for each credential, by who has spent it."""
    spent = {name: [one.spent.cpu[name] for one in bursts] for name in bursts[0].spent.cpu}
    operator = spent.pop(OPERATOR.name)
    loop = [one.loop_cpu for one in bursts]
    hashing = [all_threads - one for all_threads, one in zip(operator, loop, strict=True)]
    parts = {"operator, other threads (bcrypt)": hashing, "operator, event loop": loop, **spent}
    parts["everything else on this machine"] = [one.spent.others for one in bursts]
    return [series(f"CPU: {name}", "ms", [1000 * one / count for one in values]) for name, values in parts.items()]


def _lines(bursts: list[Burst], count: int) -> list[Line]:
    bound = max(one.bound for one in bursts)
    lines = [
        Line(f"burst {number}", tuple((moment, place + 1.0) for place, moment in enumerate(burst.ready)))
        for number, burst in enumerate(bursts, 1)
    ]
    return [*lines, Line("bound of hashing", ((0.0, 0.0), (bound, float(count))))]
