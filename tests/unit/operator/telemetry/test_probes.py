"""Probes of the operator: liveness, readiness and metrics over HTTP."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from agent_operator.limits import LIMITS
from agent_operator.telemetry.probes import Probes
from agentidp.runtime.settings import Listen
from devcluster.ports import ReservedPort

SETTLED = SimpleNamespace(is_settled=True, leader="operator-1", blocked_by=None)
BLOCKED = SimpleNamespace(is_settled=False, leader=None, blocked_by="the operator of another namespace")


class Metrics:
    """Metrics of one line."""

    async def text(self) -> bytes:
        """Return the exposition."""
        return b"agentidp_operator_leading 1\n"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as client:
        yield client


async def status_of(path: str, election: Any, session: aiohttp.ClientSession, stuck: float = 0.0) -> tuple[int, str]:
    """Serve the probes, and get one."""
    metrics: Any = Metrics()
    work: Any = SimpleNamespace(stuck_for=lambda: stuck)
    port = ReservedPort()
    number = port.number
    port.release()
    async with (
        Probes(election, work, metrics).serve(Listen("127.0.0.1", number)),
        session.get(f"http://127.0.0.1:{number}{path}") as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize(("stuck", "status"), [(LIMITS.stuck_seconds, 200), (LIMITS.stuck_seconds + 1, 503)])
async def test_probe_of_liveness_fails_if_a_worker_is_stuck(stuck: float, status: int, session: aiohttp.ClientSession) -> None:
    """The kubelet then restarts the container."""
    assert (await status_of("/healthz", SETTLED, session, stuck))[0] == status


async def test_probe_of_readiness_fails_beside_another_release(session: aiohttp.ClientSession) -> None:
    """The body names the other operator. A replica that stands by for its own leader is ready."""
    assert (await status_of("/readyz", SETTLED, session))[0] == 200
    status, body = await status_of("/readyz", BLOCKED, session)
    assert status == 503
    assert "the operator of another namespace" in body


async def test_probe_of_metrics_is_an_exposition(session: aiohttp.ClientSession) -> None:
    """Prometheus reads it at the same port."""
    assert await status_of("/metrics", SETTLED, session) == (200, "agentidp_operator_leading 1\n")
