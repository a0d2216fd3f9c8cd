"""From revoking a credential, suspending an agent or moving its kill switch to the first refusal by each replica.

The baseline is the sight of the same change by a bare watch at the same API server: no service that watches can know sooner.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agentidp.domain.resources import Agent, AgentCredential
from agentidp.kube.kinds import AGENTS, CREDENTIALS
from benchmarks.result import Figure, Lines, Result, Series, Target, distribution, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import TOKEN_PATH, Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.replicas import replicated
from benchmarks.stage.settled import Settled, settle
from benchmarks.stage.waiting import until, until_awaited
from benchmarks.stage.watching import watching
from benchmarks.stage.workload import ClientCredentials, Workload, workload
from devcluster.programs import OPERATOR, TOKEN_SERVICE

REPLICAS = 3
PAUSE_SECONDS = 0.005
PATIENCE_SECONDS = 30.0
METHOD = (
    f"At each of {REPLICAS} replicas a client asks again and again, {1000 * PAUSE_SECONDS:.0f} ms after each answer: for tokens"
    " while its credential is revoked or its agent suspended, for what introspection says of an older token while the agent's"
    " kill switch (spec.tokensValidAfter) is moved; the operator has come to rest before. The time is from sending the patch to"
    " the arrival of the first refusal, at each replica; the bare watch of the benchmark notes when it sees the change itself."
    " Before a secret is refused, whatever the reason, the API server is asked once more; that is part of the time."
)


class Sample(NamedTuple):
    """Seconds since the patch was sent: its answer, its sight by the bare watch, the first refusal by each replica."""

    answered: float
    seen: float
    refused: tuple[float, ...]


class Sights:
    """The latest version of each object that the bare watch saw, and when; by the object's uid."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, float]] = {}

    def note(self, value: Agent | AgentCredential) -> None:
        """It has changed; what counts is its spec."""
        meta = value.metadata
        if meta.generation > self.at.get(meta.uid, (0, 0.0))[0]:
            self.at[meta.uid] = meta.generation, time.monotonic()


class Scene(NamedTuple):
    """The clients and objects that a sample needs."""

    stage: Stage
    made: Settled
    arrivals: Sights
    clients: tuple[Workload, ...]


Accepted = Callable[[Workload], Awaitable[bool]]
Change = Callable[[], Awaitable[Agent | AgentCredential]]


async def cut_off(run: Run) -> Result:
    """From a patch that ends something to the first refusal by each of three replicas, 1,000 times among 10,000 credentials."""
    samples, settled = run.sized(smoke=2, normal=334), run.sized(smoke=50, normal=10_000)
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        made = await settle(stage, settled)
        stage.programs.restart(TOKEN_SERVICE.name)  # it begins as it would in a cluster that has all these
        stage.programs.start(OPERATOR.name)
        await until_at_rest(stage.operator_url, settled)
        with replicated(stage, REPLICAS) as urls:
            async with _scene(stage, made, urls) as scene:
                killed = await _kill(scene, samples)
                suspended = [await _suspend(scene, number) for number in range(samples)]
                revoked = [await _revoke(scene, number) for number in range(samples)]
    return _result({"suspends": suspended, "revokes": revoked, "moves the kill switch": killed}, settled)


@asynccontextmanager
async def _scene(stage: Stage, made: Settled, urls: Sequence[str]) -> AsyncIterator[Scene]:
    arrivals = Sights()
    async with AsyncExitStack() as open_:
        await open_.enter_async_context(watching(stage.admin, CREDENTIALS, arrivals.note, made.namespace))
        await open_.enter_async_context(watching(stage.admin, AGENTS, arrivals.note, made.namespace))
        clients = [await open_.enter_async_context(workload(url + TOKEN_PATH)) for url in urls]
        yield Scene(stage, made, arrivals, tuple(clients))


async def _suspend(scene: Scene, number: int) -> Sample:
    scene.stage.run.say(f"suspension {number + 1}")
    agent, client_credentials = _agent(scene, number)

    async def change(state: str) -> Agent:
        return await scene.stage.admin.patch(AGENTS, scene.made.namespace, agent.metadata.name, _spec(state=state))

    sample = await _measure(scene, lambda client: client.is_served(client_credentials), lambda: change("Suspended"))
    await change("Active")
    await until_at_rest(scene.stage.operator_url)  # it writes ten credentials' status, which must not weigh on the next sample
    return sample


async def _revoke(scene: Scene, number: int) -> Sample:
    scene.stage.run.say(f"revocation {number + 1}")
    place = len(scene.made.credentials) - 1 - number
    name, client_credentials = scene.made.credentials[place].metadata.name, scene.made.client_credentials(place)

    async def change() -> AgentCredential:
        return await scene.stage.admin.patch(CREDENTIALS, scene.made.namespace, name, _spec(state="Revoked"))

    return await _measure(scene, lambda client: client.is_served(client_credentials), change)


async def _kill(scene: Scene, count: int) -> list[Sample]:
    """Of tokens that are a second old: the times in a token are whole seconds."""
    targets = [_agent(scene, number) for number in range(count)]
    tokens = [await scene.clients[0].token(client_credentials) for _, client_credentials in targets]
    await asyncio.sleep(1)
    return [await _kill_one(scene, *target, token) for target, token in zip(targets, tokens, strict=True)]


async def _kill_one(scene: Scene, agent: Agent, client_credentials: ClientCredentials, token: str) -> Sample:
    scene.stage.run.say("kill switches")

    async def change() -> Agent:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        patch = _spec(tokensValidAfter=moment)
        return await scene.stage.admin.patch(AGENTS, scene.made.namespace, agent.metadata.name, patch)

    return await _measure(scene, lambda client: client.is_active(client_credentials, token), change)


async def _measure(scene: Scene, accepted: Accepted, change: Change) -> Sample:
    for client in scene.clients:
        await until_awaited(lambda client=client: accepted(client))  # type: ignore[misc]
    refusals = [asyncio.create_task(_first_refusal(client, accepted)) for client in scene.clients]
    await asyncio.sleep(0.02)  # requests are on their way
    started = time.monotonic()
    changed = (await change()).metadata
    answered = time.monotonic()
    refused = await asyncio.wait_for(asyncio.gather(*refusals), PATIENCE_SECONDS)
    await until(lambda: scene.arrivals.at.get(changed.uid, (0, 0.0))[0] >= changed.generation)
    _, seen = scene.arrivals.at[changed.uid]
    return Sample(answered - started, seen - started, tuple(one - started for one in refused))


async def _first_refusal(client: Workload, accepted: Accepted) -> float:
    """The moment at which it came."""
    while await accepted(client):  # noqa: ASYNC110 each look is a request
        await asyncio.sleep(PAUSE_SECONDS)
    return time.monotonic()


def _agent(scene: Scene, number: int) -> tuple[Agent, ClientCredentials]:
    """The agent of this number, and the client credentials of one of its AgentCredentials."""
    place = number % len(scene.made.agents)
    return scene.made.agents[place], scene.made.client_credentials(place * CREDENTIALS_PER_AGENT)


def _spec(**fields: str) -> dict[str, Any]:
    return {"spec": fields}


def _result(taken: dict[str, list[Sample]], settled: int) -> Result:
    refused = {
        what: series(f"from the patch that {what} to a replica's first refusal", "s", _refusals(samples))
        for what, samples in taken.items()
    }
    everything = [sample for samples in taken.values() for sample in samples]
    watched = series("from the patch to a bare watch", "s", [one.seen for one in everything])
    slowest = series("from the patch to the last replica's first refusal", "s", [max(one.refused) for one in everything])
    beyond = [moment - one.answered for one in everything for moment in one.refused]
    return Result(
        title=f"From ending something to its refusal by each of {REPLICAS} replicas, among {settled:,} credentials",
        method=METHOD,
        series=(
            *refused.values(),
            slowest,
            watched,
            series("from the answer to the patch to a replica's first refusal", "s", beyond),
            series("answer to the patch", "s", [one.answered for one in everything]),
        ),
        figures=(
            Figure("credentials", settled),
            Figure("replicas", REPLICAS),
            Figure("samples", len(everything)),
            Figure("median refusal / median bare watch", round(_pooled(refused.values()).median / watched.median, 3)),
        ),
        targets=tuple(
            Target(f"p99 of a replica's first refusal under 250 ms, after a patch that {what}", one.percentile(99), 0.25, "s")
            for what, one in refused.items()
        ),
        charts=(
            Lines(
                "From a patch to a replica's first refusal",
                "seconds since the patch was sent",
                "percent of samples",
                tuple(distribution(one) for one in (watched, *refused.values())),
            ),
        ),
    )


def _refusals(samples: Sequence[Sample]) -> list[float]:
    return [moment for sample in samples for moment in sample.refused]


def _pooled(parts: Iterable[Series]) -> Series:
    return series("", "", [sample for part in parts for sample in part.samples])
