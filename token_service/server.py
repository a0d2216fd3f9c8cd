"""The life of the process: connect, follow the cluster, serve, and stop in order."""

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
from token_service.settings import TokenServiceSettings
from token_service.wiring import token_service

FIELD_MANAGER = "agentidp-token-service"


async def run(settings: TokenServiceSettings, listening: list[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT."""
    client = await KubeClient.connect(FIELD_MANAGER)
    service = token_service(settings, client)
    try:
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(reflector.run()) for reflector in service.reflectors]
            collections = spare_what_is_listed(reflector.listed for reflector in service.reflectors)
            background += [tasks.create_task(task) for task in (service.issuer_keys.keep(), collections)]
            app = create_app(service, with_metrics=settings.metrics_listen is None)
            with traced(app, settings.traces_collector, FIELD_MANAGER) as traceable:
                server = server_for(metrics_apart(traceable, service.metrics.text, settings.metrics_listen))
                background.append(tasks.create_task(ConnectionReaper(server.server_state, max_connections()).run()))
                await server.serve(sockets=listening)
            for running in background:
                running.cancel()
    finally:
        service.bcrypt_pools.close()
        await client.close()
