"""The life of the program: follow the cluster, serve, and stop in order."""

import asyncio
import socket

from agentidp.domain.propagation import AUDIENCE
from agentidp.http_server.connections import ConnectionReaper, most_connections
from agentidp.http_server.head import HeadAsGet
from agentidp.http_server.metrics import metrics_apart
from agentidp.http_server.server import server_for
from agentidp.http_server.tracing import traced
from agentidp.kube.client import KubeClient
from agentidp.kube.service_account_token import ServiceAccountToken
from agentidp.runtime.garbage_collection import spare_what_is_listed
from management_api.app import create_app
from management_api.operations.replicas import Replicas
from management_api.settings import ManagementApiSettings
from management_api.wiring import ManagementApi

FIELD_MANAGER = "agentidp-management-api"


async def run(settings: ManagementApiSettings, listening: list[socket.socket]) -> None:
    """Until SIGTERM or SIGINT; changes that are under way come to their end."""
    cluster = await KubeClient.connect(FIELD_MANAGER)
    replicas = Replicas(settings.token_service_url, ServiceAccountToken(cluster, AUDIENCE))
    api = ManagementApi(settings, cluster, replicas)
    try:
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(reflector.run()) for reflector in api.reflectors]
            others = api.sweep(), api.retention.run(), api.cluster_keys.keep(), spare_what_is_listed(api.reflectors)
            behind += [tasks.create_task(one) for one in others]
            app = create_app(api, with_metrics=settings.metrics_listen is None)
            with traced(app, settings.traces_collector, FIELD_MANAGER) as traceable:
                server = server_for(metrics_apart(HeadAsGet(traceable), api.metrics.text, settings.metrics_listen))
                behind.append(tasks.create_task(ConnectionReaper(server.server_state, most_connections()).run()))
                await server.serve(sockets=listening)
                await api.reception.finish(settings.confirm_seconds)
            for task in behind:
                task.cancel()
    finally:
        await replicas.close()
        await cluster.close()
