"""Kopf's watches of a server over HTTP that answers as an API server does in trouble."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.watch.handlers import registry, run_kopf
from agent_operator.work_queue import WorkQueue
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.kinds import AGENTS
from tests.support.worlds import a_registered_agent

STATUSES = (400, 401, 404, 403, 405, 429, 406, 500, 409, 502, 410, 503, 415, 504, 422)
"""Kopf tries again after every second of them, with longer pauses the more of them there are in a row."""
CODES = (400, 404, 410, 429, 500, 503, 504)

Trouble = int | dict[str, Any]


class TroubledApiServer:
    """Answers the watches of agents with each trouble in turn, and then with an agent."""

    def __init__(self, *troubles: Trouble) -> None:
        self.troubles = list(troubles)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A list of nothing, a status, or a watch with one event at most. No kind is said to be served."""
        if request.path in {"/api", "/apis"}:
            return web.json_response({"versions": [], "groups": []})
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})
        if not request.path.endswith("/agents"):
            return await watch(request)
        error = self.troubles.pop(0) if self.troubles else an_agent_added()
        return web.Response(status=error) if isinstance(error, int) else await watch(request, error)


async def watch(request: web.Request, *events: dict[str, Any]) -> web.StreamResponse:
    """These events, and then nothing more."""
    response = web.StreamResponse()
    await response.prepare(request)
    for event in events:
        await response.write(json.dumps(event).encode() + b"\n")
    await asyncio.Event().wait()
    return response


def an_agent_added() -> dict[str, Any]:
    """An event of a watch."""
    body = {"apiVersion": AGENTS.api_version, "kind": AGENTS.name} | json.loads(
        msgspec.json.encode(AGENTS.encode(a_registered_agent()))
    )
    return {"type": "ADDED", "object": body}


@pytest.mark.parametrize(
    "troubles",
    [STATUSES, [{"type": "ERROR", "object": {"kind": "Status", "code": code}} for code in CODES]],
    ids=["statuses", "errors of a watch that has begun"],
)
async def test_watches_go_on_after_any_error(troubles: list[Trouble], tmp_path: Path) -> None:
    """A deleted kind is answered with 404, an etcd without a leader is reported with 500: neither ends the operator.

    A kind that was declared a moment ago may be missing in what the API server says that it serves: it is watched all the same.
    """
    api_server, cache = TroubledApiServer(*troubles), ClusterCache(WorkQueue())
    async with watched(api_server, cache, tmp_path) as watching, asyncio.timeout(60):
        while not len(cache.agents) and not watching.done():  # noqa: ASYNC110 the cache has no event for it
            await asyncio.sleep(0.05)
    assert api_server.troubles == []
    assert len(cache.agents) == 1


@asynccontextmanager
async def watched(api_server: TroubledApiServer, cache: ClusterCache, folder: Path) -> AsyncIterator[asyncio.Task[None]]:
    """Kopf feeds the cache while the block runs."""
    app = web.Application()
    app.router.add_get("/{path:.*}", api_server.answer)
    async with TestServer(app, shutdown_timeout=0.1) as server:
        identity = ClientIdentity.of_environment({"KUBECONFIG": str(a_kubeconfig(folder, server))})
        cluster = KubeClient(identity, "tests")
        watching = asyncio.create_task(run_kopf(cluster, registry(cache, identity), retry_seconds=0.01))
        try:
            yield watching
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            await cluster.close()


def a_kubeconfig(folder: Path, server: TestServer) -> Path:
    """Of this server, as nobody in particular."""
    file = folder / "kubeconfig"
    named = {"name": "here"}
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "clusters": [named | {"cluster": {"server": str(server.make_url("")).rstrip("/")}}],
                "users": [named | {"user": {"token": "nobody"}}],
                "contexts": [named | {"context": {"cluster": "here", "user": "here"}}],
            }
        )
    )
    return file
