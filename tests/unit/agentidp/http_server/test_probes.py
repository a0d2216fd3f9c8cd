"""Probes of the pod."""

import httpx
import pytest
from fastapi import FastAPI

from agentidp.http_server.probes import add_probes


async def answer(path: str, missing: list[str]) -> httpx.Response:
    """The response of an application that lacks this."""
    app = FastAPI()
    add_probes(app, lambda: missing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://idp") as client:
        return await client.get(path)


@pytest.mark.parametrize(("missing", "status"), [([], 200), (["agents are not listed yet"], 503)])
async def test_readyz_names_what_is_missing(missing: list[str], status: int) -> None:
    """With 503, so that the Service leaves the pod out (Kubernetes, "Configure Liveness, Readiness and Startup Probes")."""
    response = await answer("/readyz", missing)
    assert (response.status_code, response.json()) == (status, {"ready": not missing, "missing": missing})


async def test_healthz_is_ok_whatever_is_missing() -> None:
    """A restart repairs nothing of it."""
    response = await answer("/healthz", ["agents are not listed yet"])
    assert (response.status_code, response.text) == (200, "ok\n")
