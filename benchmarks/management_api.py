"""Credentials over REST among a great many of them: lists and new ones, beside the least that each could cost."""

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from agentidp.domain.resources import Agent
from agentidp.kube.kinds import AGENTS, CREDENTIALS, PENDING_CHANGES, SECRETS
from agentidp.kube.pager import list_all
from benchmarks.measure.accounting import cpu_seconds
from benchmarks.measure.counters import total
from benchmarks.measure.hashing import CORES, seconds_for_hashes
from benchmarks.measure.http_load import Outcome, pin_to_first, put_load
from benchmarks.result import Bars, Figure, Lines, Result, distribution, ratio, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT, agent, credential
from benchmarks.stage.operator_state import exposition, until_at_rest
from benchmarks.stage.settled import settle
from benchmarks.stage.waiting import until_awaited
from benchmarks.stage.workload import client_credentials_in, workload
from devcluster.programs import MANAGEMENT_API, OPERATOR, PROGRAMS

CONNECTIONS, AT_ONCE = 32, 8
CALLER = "caller"
SCOPES = ("agents:read", "agents:write")
UNLIMITED = {"AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0", "AGENTIDP_NAMESPACE_WRITES_PER_SECOND": "0"}
MANY_PER_AGENT = {"AGENTIDP_CREDENTIALS_PER_AGENT": "1000"}
LIST, FLOOR = "list of credentials", "/healthz of the same app"
METHOD = (
    "The real management API, operator and token service on a real control plane; an agent with a token is the caller."
    f" New credentials: {AT_ONCE} at once, closed loop; each answer waits for bcrypt, three writes, the operator and the token"
    " service's confirmation. bcrypt alone on all cores is measured before each round. Lists: pages of 20 of agents that have"
    f" {CREDENTIALS_PER_AGENT} credentials and more, {CONNECTIONS} connections, the API on the first core, the load generator"
    " on the others, in turns with /healthz of the same application; then both at half of the list's rate, open loop."
)


class Target(NamedTuple):
    """The API under measurement: its process, and the requests that are sent in turn."""

    url: str
    pid: int
    requests: dict[str, tuple[bytes, ...]]


class Generated(NamedTuple):
    """Round by round, in credentials a second, and how long each answer took (milliseconds)."""

    per_second: list[float]
    hashes: list[float]
    milliseconds: list[float]


class Listed(NamedTuple):
    """Answers a second and microseconds of CPU time for one, round by round, by what was asked."""

    per_second: dict[str, list[float]]
    cpu: dict[str, list[float]]


async def management_api(run: Run) -> Result:
    """Credentials a second over REST, listed and new ones, among 10,000."""
    count = run.sized(smoke=50, normal=10_000)
    async with staged(run, chosen=PROGRAMS) as stage:
        stage.programs.stop(OPERATOR.name)
        settled = await settle(stage, count)
        stage.programs.start(OPERATOR.name, MANY_PER_AGENT)
        stage.programs.restart(MANAGEMENT_API.name, UNLIMITED)
        target = _target(stage, await _bearer(stage, settled.namespace, count), settled.agents)
        generated = await _generate(stage, target)
        pin_to_first(target.pid)
        listed = await _list(run, target)
        half = series(LIST, "", listed.per_second[LIST]).median / 2
        calm = {name: await _load(run, target, name, run.sized(smoke=1, normal=20), half) for name in (LIST, FLOOR)}
    return _result(count, generated, listed, calm, half)


async def _bearer(stage: Stage, namespace: str, known: int) -> str:
    """An access token of an agent that may manage those of its namespace, beside so many credentials."""
    declared = agent(namespace, CALLER)
    await stage.admin.create(AGENTS, replace(declared, spec=replace(declared.spec, scopes=SCOPES, audiences=())))
    await stage.admin.create(CREDENTIALS, credential(namespace, CALLER, CALLER))
    await until_at_rest(stage.operator_url, known + 1)
    client_credentials = client_credentials_in(await stage.admin.get(SECRETS, namespace, CALLER))
    async with workload(stage.endpoints.token_endpoint) as client:
        return await client.token(client_credentials)


def _target(stage: Stage, bearer: str, agents: Sequence[Agent]) -> Target:
    """The same few agents in turn."""
    url = stage.programs.url(MANAGEMENT_API.name)
    paths = [f"/api/v1/agents/{one.status.agent_id}/credentials" for one in agents[:50]]
    requests = {
        "generate": tuple(_request("POST", url, path, bearer) for path in paths),
        LIST: tuple(_request("GET", url, path, bearer) for path in paths),
        FLOOR: (_request("GET", url, "/healthz", bearer),),
    }
    return Target(url, stage.programs.process(MANAGEMENT_API.name).pid, requests)


def _request(method: str, url: str, path: str, bearer: str) -> bytes:
    """As it goes over the wire; a POST has an empty object as its body."""
    body = json.dumps({}) if method == "POST" else ""
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {bearer}\r\n{content}\r\n"
    return (head + body).encode()


async def _generate(stage: Stage, target: Target) -> Generated:
    """What the end of a round cuts off is undone before the next one. Raises RuntimeError where requests failed."""
    run = stage.run
    rounds, seconds = run.sized(smoke=1, normal=8), 10.0
    hashes = run.sized(smoke=CORES, normal=20 * CORES)
    samples = Generated([], [], [])
    for number in range(rounds):
        run.say(f"new credentials: round {number + 1} of {rounds}")
        samples.hashes.append(hashes / await seconds_for_hashes(hashes))
        outcome = await put_load(target.url, target.requests["generate"], AT_ONCE, seconds)
        made = outcome.statuses.get(201, 0)
        if set(outcome.statuses) != {201} or outcome.lost:
            raise RuntimeError(f"new credentials: {outcome.statuses}, {outcome.lost} connections were lost")
        await _until_undone(stage, target)
        samples.per_second.append(made / outcome.seconds)
        samples.milliseconds.extend(1000 * one for one in outcome.latencies)
    return samples


async def _until_undone(stage: Stage, target: Target) -> None:
    """No secret is being made, no credential is waiting for its confirmation, and the operator rests."""

    async def nothing_is_under_way() -> bool:
        making = total("agentidp_management_secrets_in_the_making", await exposition(target.url))
        return not making and not await list_all(stage.admin, PENDING_CHANGES)

    for _ in range(2):  # between the making of a secret and its declaration, neither is seen
        await until_awaited(nothing_is_under_way, look_seconds=0.5)
        await asyncio.sleep(0.5)
    await until_at_rest(stage.operator_url)


async def _list(run: Run, target: Target) -> Listed:
    """Whoever was first is last in the next round."""
    rounds, seconds = run.sized(smoke=1, normal=15), run.sized(smoke=0.5, normal=2.0)
    order = [LIST, FLOOR]
    samples = Listed({name: [] for name in order}, {name: [] for name in order})
    for number in range(rounds):
        for name in order:
            run.say(f"round {number + 1} of {rounds}: {name}")
            before = cpu_seconds(target.pid)
            outcome = await _load(run, target, name, seconds)
            samples.per_second[name].append(outcome.served_per_second)
            samples.cpu[name].append(1e6 * (cpu_seconds(target.pid) - before) / outcome.statuses[200])
        order.reverse()
    return samples


async def _load(run: Run, target: Target, name: str, seconds: float, rate: float = 0.0) -> Outcome:
    """Raises RuntimeError where a request failed."""
    run.say(name)
    outcome = await put_load(target.url, target.requests[name], CONNECTIONS, seconds, rate)
    if outcome.failed:
        raise RuntimeError(f"{name}: {outcome.statuses}, {outcome.lost} connections were lost")
    return outcome


def _result(count: int, generated: Generated, listed: Listed, calm: dict[str, Outcome], half: float) -> Result:
    made = series("new credentials", "credentials/s", generated.per_second)
    bcrypt = series("bcrypt alone, all cores", "hashes/s", generated.hashes)
    took = series("until a new credential is answered", "ms", generated.milliseconds)
    rates = {name: series(name, "answers/s", listed.per_second[name]) for name in (LIST, FLOOR)}
    costs = {name: series(f"{name}, CPU", "µs/answer", listed.cpu[name]) for name in (LIST, FLOOR)}
    return Result(
        title=f"Credentials over REST, among {count:,}",
        method=METHOD,
        series=(made, bcrypt, took, *rates.values(), *costs.values()),
        ratios=(
            ratio("new credentials / bcrypt alone, a second", made.samples, bcrypt.samples),
            ratio(f"{LIST} / {FLOOR}, answers/s", rates[LIST].samples, rates[FLOOR].samples),
            ratio(f"{LIST} / {FLOOR}, CPU", costs[LIST].samples, costs[FLOOR].samples),
        ),
        figures=(
            Figure("credentials", count),
            Figure("p99 until a new credential is answered", round(took.percentile(99), 1), "ms"),
            Figure("half load of lists", round(half), "answers/s"),
            *(
                Figure(f"p99 at half load, {name}", round(1000 * outcome.percentile(99), 3), "ms")
                for name, outcome in calm.items()
            ),
        ),
        charts=(
            Bars("Answers a second on one core", "answers/s", tuple(rates.values())),
            Lines("Until a new credential is answered", "ms", "% of answers", (distribution(took),)),
        ),
    )
