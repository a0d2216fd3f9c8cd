"""The life of one process: follow the cluster, give signs of life, serve, and stop in order."""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence

from agentidp.kube.cluster import Cluster
from agentidp.runtime.garbage import spare_what_is_listed
from agentidp.serving.connections import Watchman, most_connections
from agentidp.serving.head import HeadAsGet
from agentidp.serving.metrics import metrics_apart
from agentidp.serving.server import server_for
from agentidp.serving.tracing import traced
from token_service.app import create_app
from token_service.following import following
from token_service.service import TokenService
from token_service.settings import TokenServiceSettings
from token_service.shared import Shared

FIELD_MANAGER = "agentidp-token-service"
BEAT_SECONDS = 0.5


async def run(settings: TokenServiceSettings, shared: Shared, sockets: Sequence[socket.socket], peers: Sequence[str]) -> None:
    """Until SIGTERM or SIGINT. `peers` are the addresses of the other processes."""
    cluster = await Cluster.connect(FIELD_MANAGER)
    service = following(settings, shared, cluster, peers)
    try:
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(reflector.run()) for reflector in service.reflectors]
            behind += [tasks.create_task(one) for one in (_beat(service), service.cluster_keys.keep())]
            behind.append(tasks.create_task(spare_what_is_listed(service.reflectors)))
            await _until_needed(service, alone=not peers)
            app = create_app(service, with_metrics=settings.metrics_listen is None)
            with traced(app, settings.traces_collector, FIELD_MANAGER) as traceable:
                server = server_for(HeadAsGet(metrics_apart(traceable, service.metrics, settings.metrics_listen)))
                behind.append(tasks.create_task(Watchman(server.server_state, most_connections()).run()))
                await server.serve(sockets=list(sockets))
            for task in behind:
                task.cancel()
    finally:
        service.hashing.close()
        await cluster.close()


def end_with(parent_lives: int) -> None:
    """Stop this process as soon as the descriptor ends: its other end was the parent's."""
    asyncio.get_running_loop().add_reader(parent_lives, os.kill, os.getpid(), signal.SIGTERM)


async def _beat(service: TokenService) -> None:
    while True:
        service.tell()
        await asyncio.sleep(BEAT_SECONDS)


async def _until_needed(service: TokenService, *, alone: bool) -> None:
    """A process that comes later takes no connections before it can serve them, while there are others that can."""
    while not alone and service.missing_here() and service.others_ready():  # noqa: ASYNC110 others have no events for us
        await asyncio.sleep(BEAT_SECONDS)
