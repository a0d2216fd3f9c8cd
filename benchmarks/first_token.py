"""From the creation of an AgentCredential to its first token, as a workload sees it that waits for its Secret.

bcrypt runs twice on the way, once to make the hash and once to check it: the baseline, measured before each sample.
"""

import asyncio
import time
from typing import NamedTuple

from agentidp.domain.resources import Secret
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from benchmarks.measure.hashing import seconds_for_one_hash
from benchmarks.result import Figure, Lines, Result, Target, distribution, ratio, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import credential, make_agents, make_namespace
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.settled import settle
from benchmarks.stage.watching import watching
from benchmarks.stage.workload import ClientCredentials, Workload, client_credentials_in, workload
from devcluster.programs import OPERATOR

NAMESPACE = "first-token"
AGENT = "agent"
METHOD = (
    "Among settled credentials, one is created at a time, of an agent that exists. A watch hands over the Secret as soon as it"
    " is there, and its pair is presented until a token is given. The operator and the token service are the real programs."
    " bcrypt alone (twice, one after the other, on one core) is measured before each sample."
)


class Sample(NamedTuple):
    """Seconds since the creation was requested; `refused` counts what a workload would have noticed."""

    bcrypt_twice: float
    created: float
    delivered: float
    served: float
    refused: int


async def first_token(run: Run) -> Result:
    """From applying an AgentCredential to its first token, 50 times."""
    samples, settled = run.sized(smoke=5, normal=50), run.sized(smoke=20, normal=1_000, large=10_000)
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        await settle(stage, settled)
        stage.programs.start(OPERATOR.name)
        await until_at_rest(stage.operator_url, settled)
        taken = await _take(stage, samples)
    return _result(taken, settled)


async def _take(stage: Stage, count: int) -> list[Sample]:
    await make_namespace(stage.admin, NAMESPACE)
    await make_agents(stage.admin, NAMESPACE, [AGENT])
    await until_at_rest(stage.operator_url)
    pairs: asyncio.Queue[ClientCredentials] = asyncio.Queue()

    def tell(secret: Secret) -> None:
        pairs.put_nowait(client_credentials_in(secret))

    async with watching(stage.admin, SECRETS, tell, NAMESPACE), workload(stage.endpoints.token_endpoint) as client:
        return [await _sample(stage, client, pairs, number) for number in range(count)]


async def _sample(stage: Stage, client: Workload, pairs: asyncio.Queue[ClientCredentials], number: int) -> Sample:
    stage.run.say(f"credential {number + 1}")
    bcrypt = await seconds_for_one_hash() + await seconds_for_one_hash()
    started = time.monotonic()
    await stage.admin.create(CREDENTIALS, credential(NAMESPACE, f"credential-{number}", AGENT))
    created = time.monotonic() - started
    client_credentials = await pairs.get()
    delivered = time.monotonic() - started
    refused = 0
    while not await client.is_served(client_credentials):
        refused += 1
    served = time.monotonic() - started
    await until_at_rest(stage.operator_url)
    return Sample(bcrypt, created, delivered, served, refused)


def _result(taken: list[Sample], settled: int) -> Result:
    served = series("to the first token", "s", [one.served for one in taken])
    delivered = series("to the Secret", "s", [one.delivered for one in taken])
    bcrypt = series("bcrypt twice, alone", "s", [one.bcrypt_twice for one in taken])
    refused = sum(one.refused for one in taken)
    return Result(
        title=f"From applying an AgentCredential to its first token, among {settled:,} others",
        method=METHOD,
        series=(served, delivered, series("to the answer to the creation", "s", [one.created for one in taken]), bcrypt),
        ratios=(ratio("first token / bcrypt twice", served.samples, bcrypt.samples),),
        figures=(Figure("settled credentials", settled), Figure("refused before the first token", refused)),
        targets=(
            Target("median under 500 ms", served.median, 0.5, "s"),
            Target("no workload with its Secret is refused", refused, 0, "requests"),
        ),
        charts=(
            Lines(
                "From applying an AgentCredential to its first token",
                "seconds since the request",
                "percent of credentials",
                tuple(distribution(one) for one in (bcrypt, delivered, served)),
            ),
        ),
    )
