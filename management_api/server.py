"""The life of the process: connect, follow the cluster, serve, and stop in order."""

import asyncio
import socket

from agentidp.authentication.service_account_token import ServiceAccountToken
from agentidp.domain.identity.propagation import AUDIENCE
from agentidp.http_server.asgi import HeadAsGet
from agentidp.http_server.http1.connections import ConnectionReaper
from agentidp.http_server.http1.limits import max_connections
from agentidp.http_server.metrics import metrics_apart
from agentidp.http_server.server import server_for
from agentidp.http_server.tracing import traced
from agentidp.kube.client import KubeClient
from agentidp.runtime.garbage_collection import spare_what_is_listed
from management_api.app import create_app
from management_api.limits import DEFAULT_LIMITS
from management_api.operations.propagation import Replicas
from management_api.settings import ManagementApiSettings
from management_api.wiring import ManagementApi

FIELD_MANAGER = "agentidp-management-api"


async def run(settings: ManagementApiSettings, listening: list[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT. Changes that are under way then come to their end."""
    cluster = await KubeClient.connect(FIELD_MANAGER)
    replicas = Replicas(settings.token_service_url, ServiceAccountToken(cluster, AUDIENCE), DEFAULT_LIMITS)
    api = ManagementApi(settings, cluster, replicas, DEFAULT_LIMITS)
    try:
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(reflector.run()) for reflector in api.reflectors]
            loops = (
                api.run_rollback_sweep(),
                api.retention.run(),
                api.cluster_keys.keep(),
                spare_what_is_listed(reflector.listed for reflector in api.reflectors),
            )
            background += [tasks.create_task(loop) for loop in loops]
            app = create_app(api, with_metrics=settings.metrics_listen is None)
            with traced(app, settings.traces_collector, FIELD_MANAGER) as traceable:
                server = server_for(metrics_apart(HeadAsGet(traceable), api.metrics.text, settings.metrics_listen))
                background.append(tasks.create_task(ConnectionReaper(server.server_state, max_connections()).run()))
                await server.serve(sockets=listening)
                await api.change_tasks.finish(settings.confirm_seconds)
            for task in background:
                task.cancel()
    finally:
        await cluster.close()
