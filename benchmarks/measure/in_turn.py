"""Token servers measured in turn, in the same run: one works at a time, and whoever was first is last in the next round."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.measure.accounting import cpu_seconds
from benchmarks.measure.http_load import Outcome, put_load
from benchmarks.result import Series, series
from benchmarks.run import Run

CONNECTIONS = 32


class Served(NamedTuple):
    """A server under measurement, and its requests."""

    url: str
    pid: int
    requests: tuple[bytes, ...]
    connections: int = CONNECTIONS


class Rates(NamedTuple):
    """Of one server, round by round."""

    per_second: Series
    cpu: Series


async def rates_in_turn(run: Run, servers: Mapping[str, Served], rounds: int, seconds: float) -> dict[str, Rates]:
    """Tokens a second of each, and its CPU time for one. Raises RuntimeError where a request failed, or none was answered."""
    rates: dict[str, list[float]] = {name: [] for name in servers}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    order = list(servers)
    for number in range(rounds):
        for name in order:
            run.say(f"round {number + 1} of {rounds}: {name}")
            server, before = servers[name], cpu_seconds(servers[name].pid)
            outcome = await put_load(server.url, server.requests, server.connections, seconds)
            if outcome.failed or not outcome.statuses:
                raise RuntimeError(f"{name} answered {outcome.statuses}, and closed {outcome.lost} connections")
            rates[name].append(outcome.served_per_second)
            costs[name].append(1e6 * (cpu_seconds(server.pid) - before) / outcome.statuses[200])
        order.append(order.pop(0))
    return {
        name: Rates(series(name, "tokens/s", rates[name]), series(f"{name}, CPU", "µs/token", costs[name])) for name in servers
    }


async def at_rate(server: Served, seconds: float, rate: float) -> Outcome:
    """What became of requests at a steady rate, open loop."""
    return await put_load(server.url, server.requests, server.connections, seconds, rate)
