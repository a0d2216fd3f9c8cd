"""One tenant spends all it may of what everybody shares; what another one notices, beside what it notices otherwise."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from agentidp.domain.resources import Secret
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from benchmarks.result import Bars, Figure, Result, Series, Target, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.neighbours import NEIGHBOURS, Neighbour
from benchmarks.stage.objects import credential, make_agents
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.settled import Settled, settle
from benchmarks.stage.watching import watching
from benchmarks.stage.workload import Workload, workload
from devcluster.programs import OPERATOR

NAMESPACE = "victim"
MOST_TIMES_CALM = 3.0
FIRST_USE, NEW_CREDENTIAL, ROTATION = "first use of a secret", "new credential", "rotation"


class Size(NamedTuple):
    """How many objects a neighbour has, and how long it is left to get going: the benchmark itself makes its connections."""

    objects: int
    seconds: float


SMOKE = Size(10, 0.5)
SIZES = {
    "right secrets at cost 14": Size(400, 3),
    "hashes without hints": Size(200, 3),
    "rotations every minute": Size(240, 60),  # until the first are due
    "claims of an organization": Size(600, 3),
}
METHOD = (
    "The real operator and token service with their defaults on a real control plane, all on the same cores. One tenant shows a"
    " secret for the first time, creates a credential until its Secret is there, and rotates one until its Secret has the new"
    " value, again and again: first with nothing beside it, then while another tenant, in one namespace, keeps at it. That one"
    " shows right secrets whose hashes have cost 14, all at once; or wrong ones where hashes of cost 14 have no hints; or its"
    " credentials rotate every minute; or its agents claim an organization that does not admit them, and one comes and goes."
)


class Secrets:
    """The values of the tenant's Secrets, as a watch tells them."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._told = asyncio.Condition()
        self._pending: set[asyncio.Task[None]] = set()

    def tell(self, secret: Secret) -> None:
        """A Secret is new or has changed."""
        self._values[secret.metadata.name] = secret.data.get("client_secret", b"")
        task = asyncio.ensure_future(self._notify())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def value(self, name: str) -> bytes | None:
        """None where there is none."""
        return self._values.get(name)

    async def until_other(self, name: str, value: bytes | None) -> None:
        """Until the Secret of this name has another value."""
        async with self._told:
            await self._told.wait_for(lambda: self._values.get(name) != value)

    async def _notify(self) -> None:
        async with self._told:
            self._told.notify_all()


class Taken(NamedTuple):
    """Seconds, in the order in which they were measured."""

    calm: dict[str, list[float]]
    beside: dict[str, list[float]]


class Victim(NamedTuple):
    """The objects of the tenant under measurement."""

    stage: Stage
    settled: Settled
    secrets: Secrets
    client: Workload


async def fairness(run: Run) -> Result:
    """First use, new credential and rotation of one tenant, calm and while another spends all it may."""
    samples = run.sized(smoke=3, normal=50)
    taken: dict[str, Taken] = {}
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        settled = await settle(stage, 2 * samples * len(NEIGHBOURS), NAMESPACE)
        stage.programs.start(OPERATOR.name)
        await until_at_rest(stage.operator_url, len(settled.credentials))
        await make_agents(stage.admin, NAMESPACE, (f"newcomer-{place}" for place in range(2 * len(NEIGHBOURS))))
        secrets = Secrets()
        async with watching(stage.admin, SECRETS, secrets.tell, NAMESPACE), workload(stage.endpoints.token_endpoint) as client:
            victim = Victim(stage, settled, secrets, client)
            for place, neighbour in enumerate(NEIGHBOURS):
                taken[neighbour.name] = await _beside(victim, neighbour, 2 * place, samples)
    return _result(taken, samples)


async def _beside(victim: Victim, neighbour: Neighbour, turn: int, samples: int) -> Taken:
    """Without it and with it."""
    calm = await _samples(victim, turn, samples, f"{neighbour.name}: calm")
    size = victim.stage.run.sized(smoke=SMOKE, normal=SIZES[neighbour.name])
    at_work = await neighbour.ready(victim.stage, f"neighbour-{turn // 2}", size.objects)
    async with at_work:
        victim.stage.run.say(f"{neighbour.name}: getting going")
        await asyncio.sleep(size.seconds)
        return Taken(calm, await _samples(victim, turn + 1, samples, f"{neighbour.name}: beside it"))


async def _samples(victim: Victim, turn: int, samples: int, said: str) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {FIRST_USE: [], NEW_CREDENTIAL: [], ROTATION: []}
    for number in range(samples):
        victim.stage.run.say(f"{said}, sample {number + 1} of {samples}")
        place = turn * samples + number
        taken[FIRST_USE].append(await _first_use(victim, place))
        taken[NEW_CREDENTIAL].append(await _new_credential(victim, turn, place))
        taken[ROTATION].append(await _rotation(victim, place))
    return taken


async def _first_use(victim: Victim, place: int) -> float:
    started = time.monotonic()
    if not await victim.client.is_served(victim.settled.client_credentials(place)):
        raise RuntimeError("a right secret was refused")
    return time.monotonic() - started


async def _new_credential(victim: Victim, turn: int, place: int) -> float:
    name, started = f"new-{place}", time.monotonic()
    await victim.stage.admin.create(CREDENTIALS, credential(NAMESPACE, name, f"newcomer-{turn}"))
    await victim.secrets.until_other(name, None)
    return time.monotonic() - started


async def _rotation(victim: Victim, place: int) -> float:
    meta = victim.settled.credentials[place].metadata
    old, started = victim.secrets.value(meta.name), time.monotonic()
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    change = {"spec": {"rotation": {"requestedAt": moment}}}
    await victim.stage.admin.patch(CREDENTIALS, meta.namespace, meta.name, change)
    await victim.secrets.until_other(meta.name, old)
    return time.monotonic() - started


class Compared(NamedTuple):
    """One measure beside one neighbour."""

    measure: str
    neighbour: str
    calm: Series
    beside: Series

    @property
    def times_calm(self) -> float:
        """Return the ratio of both p99."""
        return round(self.beside.percentile(99) / self.calm.percentile(99), 2)

    def figures(self) -> Sequence[Figure]:
        """All that is told of it."""
        shown = {"calm": self.calm, "beside": self.beside}
        told = {
            f"{percent}, {name}": one.percentile(int(percent[1:])) for percent in ("p50", "p99") for name, one in shown.items()
        }
        prefix = f"{self.measure}, {self.neighbour}"
        seconds = (Figure(f"{prefix}: {name}", round(value, 4), "s") for name, value in told.items())
        return (*seconds, Figure(f"{prefix}: p99 beside / calm", self.times_calm))


def _result(taken: dict[str, Taken], samples: int) -> Result:
    compared = [
        Compared(
            measure,
            neighbour,
            series(f"{measure}, calm, before {neighbour}", "s", both.calm[measure]),
            series(f"{measure}, beside {neighbour}", "s", both.beside[measure]),
        )
        for measure in (FIRST_USE, NEW_CREDENTIAL, ROTATION)
        for neighbour, both in taken.items()
    ]
    return Result(
        title=f"One tenant beside another that spends all it may, {samples} times each",
        method=METHOD,
        series=tuple(each for comparison in compared for each in (comparison.calm, comparison.beside)),
        figures=tuple(figure for one in compared for figure in one.figures()),
        targets=tuple(
            Target(
                f"{one.measure} beside {one.neighbour}: p99 at most {MOST_TIMES_CALM:.0f} times calm",
                one.times_calm,
                MOST_TIMES_CALM,
            )
            for one in compared
        ),
        charts=tuple(_chart(measure, compared) for measure in (FIRST_USE, NEW_CREDENTIAL, ROTATION)),
    )


def _chart(measure: str, compared: Sequence[Compared]) -> Bars:
    """Calm, of all rounds together, and beside each neighbour."""
    of_it = [one for one in compared if one.measure == measure]
    calm = series("nobody else", "s", [value for one in of_it for value in one.calm.samples])
    return Bars(f"{measure}: median, least and most", "s", (calm, *(_named(one) for one in of_it)))


def _named(one: Compared) -> Series:
    return Series(one.neighbour, one.beside.unit, one.beside.samples)
