"""How many tokens a second one core issues to clients that it has seen before, beside a raw ASGI application."""

from contextlib import AsyncExitStack

from benchmarks.measure.http_load import Outcome, form_request
from benchmarks.measure.in_turn import Rates, Served, at_rate, rates_in_turn
from benchmarks.result import Bars, Figure, Result, Series, Target, ratio
from benchmarks.run import Run
from benchmarks.stage.baselines import CLIENT_CREDENTIALS, SIGNATURE, TOKEN, raw_asgi
from benchmarks.stage.token_service import measured_token_service, warmed_up
from devcluster.programs import TOKEN_SERVICE

OURS, RAW, FLOOR = "token service", "raw ASGI application", "one signature and a constant"
METHOD = (
    "The real token service on a real control plane, its operator stopped, and two raw ASGI applications on plain uvicorn"
    " with the same settings; one works at a time, all on the first core, the load generator on the others. 32 keep-alive"
    " connections in a closed loop, form bodies, ES256. In every round each has its turn. The raw application reads the form,"
    " knows one client by an HMAC of its secret, encodes claims and answer with msgspec and signs; the floor only signs. CPU"
    " time is the server's own, of all its threads: where the machine is shared, it tells more than the clock. Then the token"
    " service and the raw application at half of the token service's rate, open loop."
)


async def token_issue(run: Run) -> Result:
    """Tokens a second on one core, beside a raw ASGI application."""
    rounds, seconds = run.sized(smoke=1, normal=25), run.sized(smoke=0.5, normal=1.0)
    clients = run.sized(smoke=3, normal=50)
    async with measured_token_service(run, 10 * clients) as (stage, settled), AsyncExitStack() as stack:
        requests = await warmed_up(stage, settled, range(0, 10 * clients, 10))
        pid = stage.programs.process(TOKEN_SERVICE.name).pid
        servers = {OURS: Served(stage.endpoints.token_endpoint, pid, requests)}
        for name, kind in ((RAW, TOKEN), (FLOOR, SIGNATURE)):
            url, pid = await stack.enter_async_context(raw_asgi(kind, run.directory))
            servers[name] = Served(url, pid, (form_request(url, CLIENT_CREDENTIALS),))
        rates = await rates_in_turn(run, servers, rounds, seconds)
        half = rates[OURS].per_second.median / 2
        calm = {name: await at_rate(servers[name], 10 * seconds, half) for name in (OURS, RAW)}
    return _result(rates, calm, half)


def _result(rates: dict[str, Rates], calm: dict[str, Outcome], half: float) -> Result:
    ours, raw, floor = (rates[name] for name in (OURS, RAW, FLOOR))
    to_raw = ratio(f"{OURS} / {RAW}, tokens/s", ours.per_second.samples, raw.per_second.samples)
    saved = ratio(f"{RAW} / {OURS}, CPU", raw.cpu.samples, ours.cpu.samples)
    to_floor = ratio(f"{FLOOR} / {OURS}, CPU", floor.cpu.samples, ours.cpu.samples)
    median = Series("", "", to_raw.values).median
    p99 = {name: 1000 * told.percentile(99) for name, told in calm.items()}
    return Result(
        title="Tokens a second on one core",
        method=METHOD,
        series=tuple(one for both in rates.values() for one in both),
        ratios=(to_raw, saved, to_floor),
        figures=(
            Figure("half load", round(half), "tokens/s"),
            *(Figure(f"p99 at half load, {name}", round(told, 3), "ms") for name, told in p99.items()),
            *(Figure(f"p50 at half load, {name}", round(1000 * told.percentile(50), 3), "ms") for name, told in calm.items()),
            Figure("requests that failed at half load", sum(told.failed for told in calm.values())),
        ),
        targets=(
            Target(
                "at least 0.95 of the raw application's rate (which is at most 1/0.95 of ours)", round(1 / median, 4), 1 / 0.95
            ),
            Target("p99 under 5 ms at half load", round(p99[OURS], 3), 5, "ms"),
        ),
        charts=(
            Bars("Tokens a second on one core", "tokens/s", tuple(one.per_second for one in rates.values())),
            Bars("CPU time for one token", "µs", tuple(one.cpu for one in rates.values())),
        ),
    )
