"""The life of the program: follow the cluster, serve, and stop in order."""

import asyncio
import socket

from agentidp.http_server.http1.connections import ConnectionReaper
from agentidp.http_server.http1.limits import max_connections
from agentidp.http_server.metrics import metrics_apart
from agentidp.http_server.server import server_for
from agentidp.http_server.tracing import traced
from agentidp.kube.client import KubeClient
from agentidp.runtime.garbage_collection import spare_what_is_listed
from token_service.app import create_app
from token_service.cluster.reflectors import following
from token_service.settings import TokenServiceSettings

FIELD_MANAGER = "agentidp-token-service"


async def run(settings: TokenServiceSettings, listening: list[socket.socket]) -> None:
    """Until SIGTERM or SIGINT."""
    cluster = await KubeClient.connect(FIELD_MANAGER)
    service = following(settings, cluster)
    try:
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(reflector.run()) for reflector in service.reflectors]
            spared = spare_what_is_listed(reflector.listed for reflector in service.reflectors)
            behind += [tasks.create_task(one) for one in (service.issuer_keys.keep(), spared)]
            app = create_app(service, with_metrics=settings.metrics_listen is None)
            with traced(app, settings.traces_collector, FIELD_MANAGER) as traceable:
                server = server_for(metrics_apart(traceable, service.metrics.text, settings.metrics_listen))
                behind.append(tasks.create_task(ConnectionReaper(server.server_state, max_connections()).run()))
                await server.serve(sockets=listening)
            for task in behind:
                task.cancel()
    finally:
        service.bcrypt_pools.close()
        await cluster.close()
