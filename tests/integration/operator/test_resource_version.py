"""How far a watch-fed view is, by the API server's resource versions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agentidp.domain.resources import AgentCredential, NamespacedName, ObjectRef
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.pager import PageLimits, Pager
from agentidp.kube.reflector import Reflector
from devcluster.cluster import ControlPlane
from tests.support.tenants import Tenant


class View:
    """All that the reflector has told, by name."""

    def __init__(self) -> None:
        self.states: dict[NamespacedName, str] = {}

    async def replace(self, listing: Pager[AgentCredential]) -> None:
        """After a pause, as a large view takes its time."""
        await asyncio.sleep(0.05)
        self.states = {one.key: one.spec.state async for some in listing for one in some}

    def put(self, value: AgentCredential) -> None:
        """New, or changed."""
        self.states[value.key] = value.spec.state

    def remove(self, gone: ObjectRef) -> None:
        """Gone."""
        self.states.pop(NamespacedName(gone.namespace, gone.name), None)


class Interrupted(KubeClient):
    """Its API server is written to while it answers with the first page of a list."""

    between_pages: Callable[[], None] | None = None

    async def request(self, method: str, path: str, **options: Any) -> bytes:
        """Ask, and write before the answer is read."""
        body = await super().request(method, path, **options)
        if self.between_pages and "continue" not in (options.get("params") or {}):
            self.between_pages()
        return body


@pytest.fixture
async def cluster_to_read(cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Interrupted]:
    """As the admin."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    connected = await Interrupted.connect("tests")
    yield connected
    await connected.close()


@asynccontextmanager
async def running(act: Awaitable[None]) -> AsyncIterator[None]:
    """While the block runs."""
    task = asyncio.ensure_future(act)
    yield
    task.cancel()


async def test_a_view_that_has_reached_a_version_has_the_change(cluster_to_read: Interrupted, tenant: Tenant) -> None:
    """A hundred times, at the moment that the wait ends."""
    tenant.create("AgentCredential")
    view = View()
    reflector = Reflector(cluster_to_read, CREDENTIALS, view, namespace=tenant.namespace)
    async with running(reflector.run()):
        await reflector.listed.wait()
        for number in range(100):
            written = await asyncio.to_thread(tenant.create, "AgentCredential", f"screener-{number}")
            assert await reflector.progress.until(int(written["metadata"]["resourceVersion"]), 30)
            assert NamespacedName(tenant.namespace, f"screener-{number}") in view.states


async def test_a_list_has_reached_nothing_before_it_is_in_the_view(cluster_to_read: Interrupted, tenant: Tenant) -> None:
    """Which takes a while, and meanwhile the view is what it was."""
    written = tenant.create("AgentCredential")
    view = View()
    reflector = Reflector(cluster_to_read, CREDENTIALS, view, namespace=tenant.namespace)
    async with running(reflector.run()):
        assert await reflector.progress.until(int(written["metadata"]["resourceVersion"]), 30)
        assert view.states


async def test_a_first_list_that_is_older_than_asked_for_is_none_yet(
    cluster_to_read: Interrupted, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential is revoked while the second page is on its way: the pages do not show it, the watch does."""
    view, name = View(), NamespacedName(tenant.namespace, "screener")
    for one in ("before", name.name):
        tenant.create("AgentCredential", one)
    reflector = Reflector(cluster_to_read, CREDENTIALS, view, namespace=tenant.namespace, page_limits=PageLimits(objects=1))
    states_of_the_list: list[str] = []
    replace = view.replace

    async def replaced(listing: Pager[AgentCredential]) -> None:
        await replace(listing)
        states_of_the_list.extend(view.states.values())

    def revoke() -> None:
        revoked = tenant.change("AgentCredential", state="Revoked")
        reflector.not_listed_before(int(revoked["metadata"]["resourceVersion"]))

    monkeypatch.setattr(view, "replace", replaced)
    cluster_to_read.between_pages = revoke
    async with running(reflector.run()):
        await asyncio.wait_for(reflector.listed.wait(), 30)
    assert states_of_the_list == ["Active", "Active"]
    assert view.states[name] == "Revoked"
