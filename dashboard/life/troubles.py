"""What goes wrong: the API server is away, an operator is lost, somebody else writes a Secret."""

import asyncio
import signal
from contextlib import suppress

from agentidp.domain.resources.reasons import Reason
from agentidp.kube.kinds import SECRETS
from benchmarks.stage.operator_state import exposition, leads
from dashboard.life.owner import Owner
from dashboard.stage import Stage
from devcluster.components import API_SERVER
from devcluster.errors import DevclusterError
from devcluster.programs import OPERATOR, Programs

LOOK_SECONDS = 1.0


async def kept_running(stage: Stage) -> None:
    """As the kubelet does: what ends by itself is started again, such as an operator that has lost its lease."""
    while True:
        for programs in stage.all_programs:
            for name in programs.ended():
                with suppress(DevclusterError):
                    await asyncio.to_thread(programs.restart, name)
        await asyncio.sleep(LOOK_SECONDS)


async def api_server_away(stage: Stage, seconds: float) -> None:
    """Stop the API server for this many seconds."""
    await asyncio.to_thread(stage.cluster.stop, API_SERVER)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(stage.cluster.start, API_SERVER)


async def leader_lost(stage: Stage) -> None:
    """The operator that leads is killed, and started again like any other; next leads whoever takes the lease first."""
    leader = await _leader(stage)
    leader.process(OPERATOR.name).signal(signal.SIGKILL)


async def contested(owner: Owner, name: str) -> None:
    """Somebody else writes the Secret again and again, until the operator leaves it alone."""
    while not await owner.is_told(name, Reason.SECRET_CONTESTED):
        await owner.admin.patch(SECRETS, owner.namespace, name, {"data": {"client_secret": "c29tZXRoaW5nIGVsc2U="}})
        await asyncio.sleep(LOOK_SECONDS)


async def not_delivered(owner: Owner, name: str) -> None:
    """A credential whose Secret is somebody else's."""
    await owner.write_secret("taken", {"password": b"of something else"})
    await owner.deliver_to(name, "taken")


async def _leader(stage: Stage) -> Programs:
    """Return the operator that leads."""
    while True:
        for one in stage.replicas:
            if leads(await exposition(one.url(OPERATOR.name))):
                return one
        await asyncio.sleep(LOOK_SECONDS)
