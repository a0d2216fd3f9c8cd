"""The token service ready to be measured: settled clients that it has seen before, alone on the first core, without limits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.measure.http_load import form_request, pin_to_first
from benchmarks.run import Run
from benchmarks.stage.control_plane import Stage, staged
from benchmarks.stage.settled import Settled, settle
from benchmarks.stage.workload import workload
from devcluster.programs import OPERATOR, TOKEN_SERVICE

UNLIMITED = {"AGENTIDP_CLIENT_REQUESTS_PER_SECOND": "0"}


@asynccontextmanager
async def measured_token_service(run: Run, credentials: int) -> AsyncIterator[tuple[Stage, Settled]]:
    """With so many credentials; nothing else of ours runs."""
    async with staged(run) as stage:
        stage.programs.stop(OPERATOR.name)
        settled = await settle(stage, credentials)
        stage.programs.restart(TOKEN_SERVICE.name, UNLIMITED)
        pin_to_first(stage.programs.process(TOKEN_SERVICE.name).pid)
        yield stage, settled


async def warmed_up(stage: Stage, settled: Settled, places: Sequence[int]) -> tuple[bytes, ...]:
    """Requests of these clients, each of which was served once."""
    endpoint = stage.endpoints.token_endpoint
    async with workload(endpoint) as client:
        for number, place in enumerate(places):
            stage.run.say(f"warming up: {number} of {len(places)}")
            if not await client.is_served(settled.client_credentials(place)):
                raise RuntimeError(f"{settled.client_credentials(place)} is not served")
    return tuple(form_request(endpoint, settled.client_credentials(place)) for place in places)
