"""A web application of a test as an API server, reached by the client that the programs have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import FixedSource, RestConfig


@asynccontextmanager
async def connected(app: web.Application) -> AsyncIterator[KubeClient]:
    """A client of it, while it serves."""
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cluster = KubeClient(ClientIdentity(FixedSource(RestConfig(f"http://127.0.0.1:{runner.addresses[0][1]}"))), "tests")
    yield cluster
    await cluster.close()
    await runner.cleanup()
