"""A burst of clients that were never seen before: bcrypt has to run for each of them, and for nobody twice."""

import asyncio
import time
from collections import Counter

import aiohttp

from benchmarks.measure.hashing import seconds_for_hashes
from benchmarks.result import Figure, Result, Target, ratio, series
from benchmarks.run import Run
from benchmarks.stage.control_plane import staged
from benchmarks.stage.settled import settle
from benchmarks.stage.workload import Workload
from devcluster.programs import OPERATOR, TOKEN_SERVICE

METHOD = (
    "The real token service, restarted before each round so that it knows nobody's secret, on all cores; its operator stopped."
    " All clients ask at the same moment, each over a connection of its own. The baseline is what bcrypt alone takes for as"
    " many secrets on all cores, just before."
)


async def token_burst(run: Run) -> Result:
    """200 clients that were never seen before ask at once."""
    clients, rounds = run.sized(smoke=10, normal=200), run.sized(smoke=1, normal=5)
    statuses: Counter[int] = Counter()
    taken, alone = [], []
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        settled = await settle(stage, clients)
        for number in range(rounds):
            run.say(f"round {number + 1} of {rounds}")
            stage.programs.restart(TOKEN_SERVICE.name)
            alone.append(await seconds_for_hashes(clients))
            connector = aiohttp.TCPConnector(limit=0)
            timeout = aiohttp.ClientTimeout(total=None)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                workload = Workload(session, stage.endpoints.token_endpoint)
                began = time.monotonic()
                statuses.update(
                    await asyncio.gather(*(workload.status(settled.client_credentials(place)) for place in range(clients)))
                )
                taken.append(time.monotonic() - began)
    served, bcrypt = series("until all were answered", "s", taken), series("bcrypt alone, on all cores", "s", alone)
    to_bcrypt = ratio("burst / bcrypt alone", served.samples, bcrypt.samples)
    return Result(
        title=f"{clients} clients that were never seen before",
        method=METHOD,
        series=(served, bcrypt),
        ratios=(to_bcrypt,),
        figures=tuple(Figure(f"answers with {status}", count) for status, count in sorted(statuses.items())),
        targets=(
            Target("all are served", sum(statuses.values()) - statuses[200], 0, "clients"),
            Target("within bcrypt's own time and a fifth (median of the rounds)", sorted(to_bcrypt.values)[rounds // 2], 1.2),
        ),
    )
