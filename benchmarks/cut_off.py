"""From revoking a credential or suspending an agent to the first token that is refused.

The baseline is the sight of the same change by a bare watch at the same API server: no service that watches can know sooner.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from agentidp.domain.resources import Agent, AgentCredential, AgentState, CredentialState
from agentidp.kube.kinds import AGENTS, CREDENTIALS
from benchmarks.result import Figure, Lines, Result, Series, Target, distribution, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.settled import Settled, settle
from benchmarks.stage.waiting import until, until_awaited
from benchmarks.stage.watching import watching
from benchmarks.stage.workload import Pair, Workload, workload
from devcluster.programs import OPERATOR, TOKEN_SERVICE

PATIENCE_SECONDS = 30.0
METHOD = (
    "One client asks for tokens without a pause, one request at a time, while its credential is revoked or its agent suspended"
    " by a patch; the operator has come to rest before. The time is from sending the patch to the arrival of the first refusal;"
    " the bare watch of the benchmark notes when it sees the change itself."
)


class Sample(NamedTuple):
    """Seconds since the patch was sent: its answer, its sight by the bare watch, the first refusal."""

    answered: float
    seen: float
    refused: float


class Sights:
    """When the bare watch saw that something has ended, by the object's uid."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def credential(self, value: AgentCredential) -> None:
        """A credential has changed."""
        if value.spec.state is CredentialState.REVOKED:
            self.at.setdefault(value.metadata.uid, time.monotonic())

    def agent(self, value: Agent) -> None:
        """An agent has changed."""
        if value.spec.state is AgentState.SUSPENDED:
            self.at.setdefault(value.metadata.uid, time.monotonic())


async def cut_off(run: Run) -> Result:
    """From a patch that revokes or suspends to the first refusal, 200 times each, among 1,000 credentials."""
    samples, settled = run.sized(smoke=5, normal=200), run.sized(smoke=50, normal=1_000, large=10_000)
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        made = await settle(stage, settled)
        stage.programs.restart(TOKEN_SERVICE.name)  # it begins as it would in a cluster that has all these
        stage.programs.start(OPERATOR.name)
        await until_at_rest(stage.operator_url, settled)
        suspended, revoked = await _take(stage, made, samples)
    return _result(suspended, revoked, settled)


async def _take(stage: Stage, made: Settled, count: int) -> tuple[list[Sample], list[Sample]]:
    """Suspensions first: a suspended agent comes back, a revoked credential does not."""
    sights = Sights()
    async with (
        watching(stage.admin, CREDENTIALS, sights.credential, made.namespace),
        watching(stage.admin, AGENTS, sights.agent, made.namespace),
        workload(stage.endpoints.token_endpoint) as client,
    ):
        suspended = [await _suspend(stage, client, made, sights, number) for number in range(count)]
        revoked = [await _revoke(stage, client, made, sights, number) for number in range(count)]
    return suspended, revoked


async def _suspend(stage: Stage, client: Workload, made: Settled, sights: Sights, number: int) -> Sample:
    stage.run.say(f"suspension {number + 1}")
    place = number % len(made.agents)
    agent, pair = made.agents[place], made.pair(place * CREDENTIALS_PER_AGENT)
    sights.at.pop(agent.metadata.uid, None)

    async def change(state: str) -> None:
        await stage.admin.patch(AGENTS, made.namespace, agent.metadata.name, _state(state))

    sample = await _measure(client, pair, sights, agent.metadata.uid, lambda: change("Suspended"))
    await change("Active")
    await until_at_rest(stage.operator_url)  # it writes the status of ten credentials, which must not weigh on the next sample
    return sample


async def _revoke(stage: Stage, client: Workload, made: Settled, sights: Sights, number: int) -> Sample:
    stage.run.say(f"revocation {number + 1}")
    place = len(made.credentials) - 1 - number
    credential = made.credentials[place]

    async def change() -> None:
        await stage.admin.patch(CREDENTIALS, made.namespace, credential.metadata.name, _state("Revoked"))

    return await _measure(client, made.pair(place), sights, credential.metadata.uid, change)


async def _measure(client: Workload, pair: Pair, sights: Sights, uid: str, change: Callable[[], Awaitable[None]]) -> Sample:
    await until_awaited(lambda: client.is_served(pair))
    refusal = asyncio.create_task(_first_refusal(client, pair))
    await asyncio.sleep(0.02)  # requests are on their way
    started = time.monotonic()
    await change()
    answered = time.monotonic()
    refused = await asyncio.wait_for(refusal, PATIENCE_SECONDS)

    await until(lambda: uid in sights.at)
    return Sample(answered - started, sights.at[uid] - started, refused - started)


async def _first_refusal(client: Workload, pair: Pair) -> float:
    """The moment at which it came."""
    while (status := await client.status(pair)) == HTTPStatus.OK:
        pass
    if status != HTTPStatus.UNAUTHORIZED:
        raise RuntimeError(f"the token service answered {status}")
    return time.monotonic()


def _state(state: str) -> dict[str, Any]:
    return {"spec": {"state": state}}


def _result(suspended: list[Sample], revoked: list[Sample], settled: int) -> Result:
    suspension = series("from the patch that suspends to the first refusal", "s", [one.refused for one in suspended])
    revocation = series("from the patch that revokes to the first refusal", "s", [one.refused for one in revoked])
    both = [*suspended, *revoked]
    beyond = series("from the answer to the patch to the first refusal", "s", [one.refused - one.answered for one in both])
    watched = series("from the patch to a bare watch", "s", [one.seen for one in both])
    return Result(
        title=f"From revoking or suspending to the first refusal, among {settled:,} credentials",
        method=METHOD,
        series=(suspension, revocation, watched, beyond, series("answer to the patch", "s", [one.answered for one in both])),
        figures=(
            Figure("credentials", settled),
            Figure("median refusal / median bare watch", round(_median(suspension, revocation) / watched.median, 3)),
        ),
        targets=(
            Target("p99 of suspending under 250 ms", suspension.percentile(99), 0.25, "s"),
            Target("p99 of revoking under 250 ms", revocation.percentile(99), 0.25, "s"),
        ),
        charts=(
            Lines(
                "From a patch to the first refusal",
                "seconds since the patch was sent",
                "percent of samples",
                tuple(distribution(one) for one in (watched, suspension, revocation)),
            ),
        ),
    )


def _median(*parts: Series) -> float:
    return series("", "", [sample for part in parts for sample in part.samples]).median
