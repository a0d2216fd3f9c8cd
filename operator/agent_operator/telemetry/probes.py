"""`GET /healthz`, `/readyz` and `/metrics`, from the start: a standby replica is alive and ready as well."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from agent_operator.leadership.leader_election import Election
from agent_operator.limits import LIMITS, Limits
from agent_operator.telemetry.metrics import Metrics
from agent_operator.work_queue import WorkQueue
from agentidp.http_server.sockets import listen
from agentidp.runtime.settings import Listen


class Probes:
    """Answers for the kubelet and Prometheus."""

    def __init__(self, election: Election, work: WorkQueue, metrics: Metrics, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._election = election
        self._work = work
        self._metrics = metrics

    @asynccontextmanager
    async def serve(self, address: Listen) -> AsyncIterator[None]:
        """Serve at this address while the block runs."""
        app = web.Application()
        routes = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._show_metrics}
        app.add_routes([web.get(path, answer) for path, answer in routes.items()])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            for socket in listen(address):
                await web.SockSite(runner, socket).start()
            yield
        finally:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        """Answer 200 unless a worker makes no progress; an outage of the API server is no reason to restart."""
        seconds = self._work.stuck_for()
        status = HTTPStatus.SERVICE_UNAVAILABLE if seconds > self._limits.stuck_seconds else HTTPStatus.OK
        return web.json_response({"slowestWorkerSeconds": round(seconds, 1)}, status=status)

    async def _readyz(self, _: web.Request) -> web.Response:
        """Answer 200 when this replica or another of its release leads; 503 names the operator of another release."""
        status = HTTPStatus.OK if self._election.is_settled else HTTPStatus.SERVICE_UNAVAILABLE
        body = {"leader": self._election.leader, "blockedBy": self._election.blocked_by}
        return web.json_response(body, status=status)

    async def _show_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
