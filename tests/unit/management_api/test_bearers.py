"""Tokens of the cluster, which only the API server can judge: it is here a server that knows one of them."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from aiohttp import web

from agentidp.kube.cluster import Cluster
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import FixedSource, RestConfig
from agentidp.runtime.settings import Url, Urls
from management_api.callers import bearers as module
from management_api.callers.bearers import Bearers
from management_api.callers.kubernetes import TOKEN_REVIEWS
from management_api.failures import Failure
from management_api.registry.registry import Registry
from management_api.settings import ManagementApiSettings

GOOD = "a-token-of-somebody"


@pytest.fixture
async def bearers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bearers]:
    """One token of nobody knows who may be looked up, and nothing is remembered."""
    monkeypatch.setattr(module, "REVIEWS_AT_ONCE", 1)
    monkeypatch.setattr(module, "REVIEWS_PER_SECOND", 1e-6)
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.0)

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        return web.json_response({"status": {"authenticated": token == GOOD, "user": {"username": "somebody"}}})

    app = web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = RestConfig(f"http://127.0.0.1:{runner.addresses[0][1]}")
    cluster = Cluster(ClientIdentity(FixedSource(server)), "tests")
    settings = ManagementApiSettings(issuer=Url("https://idp.example"), token_service_url=Urls(("http://127.0.0.1:1",)))
    yield Bearers(settings, cluster, Registry())
    await cluster.close()
    await runner.cleanup()


async def test_a_flood_of_unknown_tokens_does_not_keep_out_who_was_there_before(bearers: Bearers) -> None:
    """Only who comes for the first time meanwhile is told to come back."""
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"
    for _ in range(3):
        with pytest.raises(Failure) as raised:
            await bearers.caller(["Bearer of-nobody"])
        assert raised.value.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert (await bearers.caller([f"Bearer {GOOD}"])).name == "kubernetes:somebody"


async def test_who_comes_for_the_first_time_is_looked_up(bearers: Bearers) -> None:
    """And refused where the API server does not know them."""
    with pytest.raises(Failure) as raised:
        await bearers.caller(["Bearer of-nobody"])
    assert raised.value.status == HTTPStatus.UNAUTHORIZED
