"""The leader is killed (`kill -9`) while it rotates secrets: how soon the other replica writes, and what it does twice."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from agent_operator.clock import now
from agent_operator.leadership.single_operator import LEASES, Lease
from agentidp.domain.resources import AgentCredential, Secret
from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS
from benchmarks.result import Figure, Lines, Result, Series, Target, distribution, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT, agent, credential, make_namespace, side_by_side
from benchmarks.stage.operator_state import exposition, leads, until_at_rest
from benchmarks.stage.waiting import until
from benchmarks.stage.watching import watching
from devcluster.install import NAMESPACE as SYSTEM
from devcluster.programs import OPERATOR, Programs

NAMESPACE = "failover"
POLL_SECONDS = 0.05
METHOD = (
    "Two operators run. A rotation of every credential is requested; at a random moment while they are being done, the leader"
    " is killed with SIGKILL. A watch notes when the Lease names the other, and its first write of a credential's status."
    " Every new value of every Secret is counted: each request must have led to exactly one."
)


@dataclass
class Witness:
    """What the watches have told."""

    holder: str | None = None
    held_since: float = 0.0
    statuses: list[float] = field(default_factory=list)
    """When statuses were written, by the benchmark's clock."""
    rotated_at: dict[str, datetime] = field(default_factory=dict)
    values: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """Every value that each Secret has held."""

    def lease(self, seen: Lease) -> None:
        """Record a write of the Lease."""
        if seen.spec.holder_identity and seen.spec.holder_identity != self.holder:
            self.holder, self.held_since = seen.spec.holder_identity, time.monotonic()

    def credential(self, seen: AgentCredential) -> None:
        """A credential was written: by an operator, if its status has something new."""
        if seen.status.rotated_at:
            self.rotated_at[seen.metadata.name] = seen.status.rotated_at
        self.statuses.append(time.monotonic())

    def secret(self, seen: Secret) -> None:
        """Record a write of a Secret."""
        value, values = seen.data["client_secret"], self.values[seen.metadata.name]
        if not values or values[-1] != value:
            values.append(value)


class Failover(NamedTuple):
    """Seconds from the kill to each event of a failover."""

    leads: float
    writes: float
    rests: float
    rotated_before: int
    """How many credentials the old leader had done."""


async def operator_failover(run: Run) -> Result:
    """Kill the leader during rotations, 20 times: seconds until its successor writes, and rotations done twice (none)."""
    credentials, times = run.sized(smoke=20, normal=100), run.sized(smoke=2, normal=20)
    async with staged(run, chosen=[OPERATOR]) as stage, _second(stage) as second:
        await until_at_rest(stage.operator_url)
        names = await _issue(stage, credentials)
        async with _witness(stage) as witness:
            failovers = [await _fail_over(stage, witness, [stage.programs, second], names, number) for number in range(times)]
    return _result(failovers, witness, times)


@asynccontextmanager
async def _second(stage: Stage) -> AsyncIterator[Programs]:
    """Another operator with the same settings."""
    logs = stage.run.directory / "second"
    logs.mkdir()
    issuer = {"AGENTIDP_ISSUER": stage.programs.token_url}
    with Programs.launch(stage.cluster.access, logs, issuer, chosen=[OPERATOR]) as second:
        yield second


async def _issue(stage: Stage, count: int) -> list[str]:
    """The names of credentials that are issued."""
    await make_namespace(stage.admin, NAMESPACE)
    names = [f"credential-{place}" for place in range(count)]
    agents = [f"agent-{place}" for place in range(-(-count // CREDENTIALS_PER_AGENT))]
    await side_by_side(stage.admin.create(AGENTS, agent(NAMESPACE, name)) for name in agents)
    declared = (credential(NAMESPACE, name, agents[place // CREDENTIALS_PER_AGENT]) for place, name in enumerate(names))
    await side_by_side(stage.admin.create(CREDENTIALS, one) for one in declared)
    await asyncio.sleep(1)
    await until_at_rest(stage.operator_url, count)
    return names


@asynccontextmanager
async def _witness(stage: Stage) -> AsyncIterator[Witness]:
    witness, admin = Witness(), stage.admin
    async with (
        watching(admin, LEASES, witness.lease, SYSTEM),
        watching(admin, CREDENTIALS, witness.credential, NAMESPACE),
        watching(admin, SECRETS, witness.secret, NAMESPACE),
    ):
        yield witness


async def _fail_over(stage: Stage, witness: Witness, replicas: list[Programs], names: list[str], number: int) -> Failover:
    stage.run.say(f"fail-over {number + 1}")
    leader = await _leader(replicas)
    requested = now()
    await _request_rotations(stage, names, requested)
    await asyncio.sleep(random.uniform(0, 0.02 * len(names)))  # noqa: S311 a moment within the time that hashing takes
    done = _rotated_since(witness, requested)
    killed = time.monotonic()
    leader.kill(OPERATOR.name)
    await until(lambda: witness.held_since > killed)
    await until(lambda: witness.statuses[-1] > witness.held_since)
    writes = next(moment for moment in witness.statuses if moment > witness.held_since)
    await until(lambda: _rotated_since(witness, requested) == len(names))
    rests = time.monotonic()
    await asyncio.to_thread(leader.start, OPERATOR.name)
    return Failover(witness.held_since - killed, writes - killed, rests - killed, done)


async def _request_rotations(stage: Stage, names: list[str], moment: datetime) -> None:
    change = {"spec": {"rotation": {"requestedAt": moment.isoformat(), "overlap": "1h"}}}
    await side_by_side(stage.admin.patch(CREDENTIALS, NAMESPACE, name, change) for name in names)


def _rotated_since(witness: Witness, requested: datetime) -> int:
    return sum(1 for moment in witness.rotated_at.values() if moment >= requested)


async def _leader(replicas: list[Programs]) -> Programs:
    """The one that leads; the other one stands by already."""
    while True:
        for replica in replicas:
            if leads(await exposition(replica.url(OPERATOR.name))):
                return replica
        await asyncio.sleep(POLL_SECONDS)


def _result(failovers: list[Failover], witness: Witness, times: int) -> Result:
    written = series("from the kill to the first write", "s", [one.writes for one in failovers])
    led = series("from the kill to the new leader", "s", [one.leads for one in failovers])
    rested = series("from the kill until every rotation is done", "s", [one.rests for one in failovers])
    before = series("done by the old leader", "credentials", [one.rotated_before for one in failovers])
    double, lost = _double(witness, times), _lost(witness, times)
    return Result(
        title=f"Leader killed during rotations, {times} times",
        method=METHOD,
        series=(written, led, rested, before),
        figures=(
            Figure("fail-overs", times),
            Figure("rotations requested", times * len(witness.values)),
            Figure("rotations done twice", double),
            Figure("rotations lost", lost),
        ),
        targets=(
            Target("a new leader writes within 15 s", max(written.samples), 15, "s"),
            Target("no rotation is done twice", double, 0, "rotations"),
            Target("no rotation is lost", lost, 0, "rotations"),
        ),
        charts=(_chart((led, written)),),
    )


def _double(witness: Witness, times: int) -> int:
    """How many values there were beyond the first one and one for each request."""
    return sum(max(0, len(values) - 1 - times) for values in witness.values.values())


def _lost(witness: Witness, times: int) -> int:
    return sum(max(0, 1 + times - len(values)) for values in witness.values.values())


def _chart(distributions: tuple[Series, ...]) -> Lines:
    lines = tuple(distribution(one) for one in distributions)
    return Lines("How soon a killed leader is replaced", "seconds since the kill", "percent of fail-overs", lines)
