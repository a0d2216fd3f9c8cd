"""How many tokens a second one core issues, beside servers that people would run instead."""

import statistics
from contextlib import AsyncExitStack

from benchmarks.measure.http_load import Outcome
from benchmarks.measure.in_turn import Rates, Served, at_rate, rates_in_turn
from benchmarks.result import Bars, Figure, Result, Target, ratio
from benchmarks.run import Run
from benchmarks.stage.peers import PLAINTEXT, SCRYPT, dex, dex_program, hydra, oidc_provider, versions
from benchmarks.stage.token_service import measured_token_service, warmed_up
from devcluster.programs import TOKEN_SERVICE

OURS = "token service (bcrypt)"
HYDRA = "Ory Hydra (bcrypt)"
DEX = "dex (plaintext)"
PEERS = {PLAINTEXT: "oidc-provider (plaintext)", SCRYPT: "oidc-provider (scrypt)"}
FAST = (OURS, PEERS[PLAINTEXT], DEX)
METHOD = (
    "The real token service on a real control plane, its operator stopped, Node's oidc-provider with its in-memory adapter,"
    " and Ory Hydra with SQLite in memory, set to do the same: client_credentials, the pair in form fields, a JWT access"
    " token (RFC 9068) signed with ES256, as many clients. One works at a time, all on the first core, the load generator on"
    " the others; 32 keep-alive connections in a closed loop (4 where every request is hashed, which is as many as Node"
    " hashes at a time), the same requests. Each is warmed up, then has its turn in every round. What is in brackets is how"
    " secrets are kept: by itself oidc-provider compares plaintext; with hashes (scrypt, Node's default cost) it has to"
    " compute one for every request, and so has Hydra (bcrypt, of our cost), where the token service, which never has"
    " plaintext, remembers under a key of its own which secret it has verified. dex, with all in memory, takes part where the"
    " machine has it; its tokens are ES256 JWTs, too, and it knows no other form of secrets than plaintext. CPU time is the"
    " server's own, of all its threads. Then the fast ones at half of oidc-provider's rate, open loop. "
)


async def token_peers(run: Run) -> Result:
    """Tokens a second on one core, beside Node's oidc-provider and Ory Hydra."""
    rounds, seconds = run.sized(smoke=1, normal=9), run.sized(smoke=2.0, normal=4.0)
    clients = run.sized(smoke=3, normal=50)
    async with measured_token_service(run, 10 * clients) as (stage, settled), AsyncExitStack() as stack:
        places = range(0, 10 * clients, 10)
        pid = stage.programs.process(TOKEN_SERVICE.name).pid
        servers = {OURS: Served(stage.endpoints.token_endpoint, pid, await warmed_up(stage, settled, places))}
        pairs = [settled.client_credentials(place) for place in places]
        for kind, name in PEERS.items():
            servers[name] = await stack.enter_async_context(oidc_provider(kind, pairs, run.directory))
        servers[HYDRA] = await stack.enter_async_context(hydra(pairs, run.directory))
        if program := dex_program():
            servers[DEX] = await stack.enter_async_context(dex(program, pairs, run.directory))
        await rates_in_turn(run, servers, 1, seconds)
        rates = await rates_in_turn(run, servers, rounds, seconds)
        half = rates[PEERS[PLAINTEXT]].per_second.median / 2
        calm = {name: await at_rate(servers[name], run.sized(smoke=1.0, normal=20.0), half) for name in FAST if name in servers}
    return _result(rates, calm, half, METHOD + versions(run.directory) + ".")


def _result(rates: dict[str, Rates], calm: dict[str, Outcome], half: float, method: str) -> Result:
    ours, others = rates[OURS], [name for name in rates if name != OURS]
    return Result(
        title="Tokens a second on one core, beside peers",
        method=method,
        series=tuple(one for both in rates.values() for one in both),
        ratios=(
            *(ratio(f"{OURS} / {name}, tokens/s", ours.per_second.samples, rates[name].per_second.samples) for name in others),
            *(ratio(f"{name} / {OURS}, CPU", rates[name].cpu.samples, ours.cpu.samples) for name in others),
        ),
        targets=tuple(
            Target(f"as many tokens a second as {name}, which never hashes (its share of ours, median)", _share(rates, name), 1)
            for name in FAST[1:]
            if name in rates
        ),
        figures=(
            Figure("half of oidc-provider's rate", round(half), "tokens/s"),
            *(Figure(f"p50 at that rate, {name}", round(1000 * told.percentile(50), 3), "ms") for name, told in calm.items()),
            *(Figure(f"p99 at that rate, {name}", round(1000 * told.percentile(99), 3), "ms") for name, told in calm.items()),
            Figure("requests that failed at that rate", sum(told.failed for told in calm.values())),
        ),
        charts=(
            Bars("Tokens a second on one core", "tokens/s", tuple(one.per_second for one in rates.values())),
            Bars("CPU time for one token", "µs", tuple(one.cpu for one in rates.values())),
        ),
    )


def _share(rates: dict[str, Rates], name: str) -> float:
    """How many tokens a second it issues for each one of ours: the median of all rounds."""
    return statistics.median(ratio(name, rates[name].per_second.samples, rates[OURS].per_second.samples).values)
