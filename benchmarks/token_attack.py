"""Valid clients beside attackers: who is served, and how long it takes, beside the same clients alone."""

import asyncio
import uuid
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from agentidp.domain.secrets.client_secrets import generate_secret
from benchmarks.measure.accounting import Memory, memory
from benchmarks.measure.http_load import Outcome, form_request, put_load
from benchmarks.measure.slow_connections import Slow, held
from benchmarks.result import Bars, Figure, Result, Series, Target, series
from benchmarks.run import Run
from benchmarks.stage.token_service import measured_token_service, warmed_up
from benchmarks.stage.workload import ClientCredentials
from devcluster.programs import TOKEN_SERVICE

RATE, ATTACKERS = 200.0, 32
DIFFERENT_REQUESTS = 2_000
HOLDING = 3_000
CALM = "nobody attacks"
METHOD = (
    "The real token service on a real control plane, its operator stopped, on the first core. Known clients ask at a steady"
    f" rate of {RATE:.0f} a second, open loop, while {ATTACKERS} connections attack in a closed loop, each request another"
    f" of {DIFFERENT_REQUESTS:,}, or {HOLDING:,} connections are held that say nothing, or next to nothing; calm and each"
    " attack have their turn in every round."
)


class Attack(NamedTuple):
    """The requests that an attacker sends."""

    name: str
    client_credentials: Callable[[ClientCredentials], ClientCredentials]
    """Of an attacker that knows this client's id."""


ATTACKS = (
    Attack(
        "wrong secrets of known clients, as we make them", lambda known: ClientCredentials(known.client_id, generate_secret())
    ),
    Attack("wrong secrets of known clients, of any kind", lambda known: ClientCredentials(known.client_id, uuid.uuid4().hex)),
    Attack("unknown clients", lambda _: ClientCredentials(str(uuid.uuid4()), generate_secret())),
    Attack("what is no client at all", lambda _: ClientCredentials("admin", "admin")),
)


class Siege(NamedTuple):
    """Connections that are held: what each sends at first, and whether a byte a second follows."""

    name: str
    opening: Callable[[bytes], bytes]
    """Of a whole request."""
    trickles: bool


SIEGES = (
    Siege("idle connections", lambda _: b"", trickles=False),
    Siege("heads that never end", lambda request: request[:60], trickles=True),
    Siege("bodies that never end", lambda request: request[: request.index(b"\r\n\r\n") + 4], trickles=True),
)


async def token_attack(run: Run) -> Result:
    """200 requests a second of known clients, beside 32 attackers of several kinds, and 3,000 connections that are held."""
    rounds, seconds = run.sized(smoke=1, normal=5), run.sized(smoke=0.5, normal=4.0)
    clients = run.sized(smoke=3, normal=20)
    told: dict[str, list[Outcome]] = {name: [] for name in (CALM, *(one.name for one in (*ATTACKS, *SIEGES)))}
    refused = {attack.name: 0.0 for attack in ATTACKS}
    async with measured_token_service(run, 10 * clients) as (stage, settled):
        valid = await warmed_up(stage, settled, range(0, 10 * clients, 10))
        url, pid = stage.endpoints.token_endpoint, stage.programs.process(TOKEN_SERVICE.name).pid
        before = memory(pid)
        for number in range(rounds):
            run.say(f"round {number + 1} of {rounds}: {CALM}")
            told[CALM].append(await put_load(url, valid, 8, seconds, RATE))
            for attack in ATTACKS:
                run.say(f"round {number + 1} of {rounds}: {attack.name}")
                pairs = (
                    attack.client_credentials(settled.client_credentials(place % len(settled.credentials)))
                    for place in range(DIFFERENT_REQUESTS)
                )
                bad = tuple(form_request(url, client_credentials) for client_credentials in pairs)
                good, attacker = await asyncio.gather(
                    put_load(url, valid, 8, seconds, RATE), put_load(url, bad, ATTACKERS, seconds)
                )
                told[attack.name].append(good)
                refused[attack.name] += sum(attacker.statuses.values()) / rounds / seconds
            for siege in SIEGES:
                run.say(f"round {number + 1} of {rounds}: {siege.name}")
                async with held(_slow(url, siege, valid[0], run.sized(smoke=50, normal=HOLDING))):
                    told[siege.name].append(await put_load(url, valid, 8, seconds, RATE))
        after = memory(pid)
    return _result(told, refused, before, after)


def _slow(url: str, siege: Siege, request: bytes, connections: int) -> Slow:
    address = urlsplit(url)
    return Slow(address.hostname or "", address.port or 80, connections, siege.opening(request), siege.trickles)


def _result(told: dict[str, list[Outcome]], refused: dict[str, float], before: Memory, after: Memory) -> Result:
    p99 = {
        name: series(f"p99, {name}", "ms", [1000 * one.percentile(99) for one in outcomes]) for name, outcomes in told.items()
    }
    failed = {name: sum(one.failed for one in outcomes) for name, outcomes in told.items()}
    served = {name: sum(one.statuses.get(200, 0) for one in outcomes) for name, outcomes in told.items()}
    worst = max((one.median for name, one in p99.items() if name != CALM), default=0.0)
    return Result(
        title=f"{RATE:.0f} requests a second of known clients, beside {ATTACKERS} attackers",
        method=METHOD,
        series=tuple(p99.values()),
        figures=(
            *(Figure(f"requests of known clients that failed, {name}", count) for name, count in failed.items()),
            *(Figure(f"requests of known clients that were served, {name}", count) for name, count in served.items()),
            *(Figure(f"attackers' requests answered a second, {name}", round(rate)) for name, rate in refused.items()),
            Figure("memory before", round(before.now), "MiB"),
            Figure("memory afterwards", round(after.now), "MiB"),
            Figure("most memory", round(after.peak), "MiB"),
        ),
        targets=(
            Target("all known clients are served", sum(failed.values()), 0, "requests"),
            Target("p99 under 10 ms beside any attack (median of the rounds)", round(worst, 3), 10, "ms"),
        ),
        charts=(Bars("p99 of known clients", "ms", tuple(_named(name, one) for name, one in p99.items())),),
    )


def _named(name: str, one: Series) -> Series:
    return Series(name, one.unit, one.samples)
