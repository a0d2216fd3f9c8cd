"""Lists and watches that do not go well: pages that are too large, pages that fail, a watch that tells nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from agentidp.cache.organizations import CLIENT_ORGANIZATIONS, OrganizationIndex
from agentidp.cache.store import IndexedStore
from agentidp.domain.resources import Agent
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Gone, Unreachable
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import PageLimits, Pager, list_all
from agentidp.kube.reflector import Reflector
from devcluster.cluster import ControlPlane
from tests.support.tenants import Tenant

AGENTS_MADE = 23


class Faulty(KubeClient):
    """Some of what is asked goes wrong."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.pages: list[int] = []
        self.fails: Callable[[Mapping[str, str]], bool] = lambda _: False
        self.watches_end_at_once = False
        self.watches = 0
        self.refusals: list[ApiError] = []

    async def request(self, method: str, path: str, **options: Any) -> bytes:
        """Ask, and note how many objects were asked for."""
        params = options.get("params") or {}
        if self.fails(params):
            raise Unreachable("the wire is cut")
        self.pages.append(int(params.get("limit", 0)))
        return await super().request(method, path, **options)

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str], idle: float) -> AsyncIterator[aiohttp.StreamReader]:
        """Watch, or see it end, or be refused while there are refusals."""
        self.watches += 1
        if self.refusals:
            raise self.refusals.pop(0)
        async with super().stream(path, params, idle) as lines:
            if self.watches_end_at_once:
                lines.feed_eof()
            yield lines


@pytest.fixture
async def faulty(cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Faulty]:
    """As the admin; nothing goes wrong yet."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    connected = await Faulty.connect("tests")
    yield connected
    await connected.close()


@pytest.fixture
def agents(tenant: Tenant) -> Tenant:
    """A tenant with more agents than fit on a page."""
    for number in range(AGENTS_MADE):
        tenant.create("Agent", f"agent-{number:02}", owner="o" * 128)
    return tenant


@asynccontextmanager
async def running(reflector: Reflector[Any]) -> AsyncIterator[None]:
    """While the block runs."""
    task = asyncio.create_task(reflector.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def test_pages_that_are_too_large_are_asked_for_in_smaller_portions(faulty: Faulty, agents: Tenant) -> None:
    """Nothing is lost or comes twice, and no more is read of one than fits."""
    path = AGENTS.path(agents.namespace)
    whole = await list_all(faulty, AGENTS, path)
    faulty.pages.clear()
    listed: Pager[Agent] = Pager(faulty, AGENTS, path, limits=PageLimits(max_bytes=6_000))
    assert [agent async for some in listed for agent in some] == whole
    assert len(whole) == listed.count == AGENTS_MADE
    assert faulty.pages[:4] == [500, 100, 20, 4]


async def test_half_a_list_is_no_word_from_the_api_server(faulty: Faulty, agents: Tenant) -> None:
    """What is on the other half may be a revocation."""
    view: Any = _Nothing()
    reflector = Reflector(faulty, AGENTS, view, namespace=agents.namespace, page_limits=PageLimits(objects=10))
    faulty.fails = lambda params: "continue" in params
    async with running(reflector):
        await asyncio.wait_for(view.began_again.wait(), 30)
        assert reflector.heard_at == float("-inf")
        faulty.fails = lambda _: False
        await asyncio.wait_for(reflector.listed.wait(), 30)
        assert reflector.heard_at > 0


async def test_a_watch_that_ends_at_once_is_no_word_and_no_endless_loop(faulty: Faulty) -> None:
    """Something between here and the API server may end each."""
    reflector = Reflector(faulty, CLIENT_ORGANIZATIONS, IndexedStore(OrganizationIndex()))
    faulty.watches_end_at_once = True
    async with running(reflector):
        await asyncio.wait_for(reflector.listed.wait(), 30)
        heard = reflector.heard_at
        await asyncio.sleep(2)
        assert reflector.heard_at == heard
        assert 1 < faulty.watches < 10


async def test_what_was_missed_while_the_api_server_was_away_is_listed_at_once(
    faulty: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be a revocation. A version that is too old right after it was listed is asked for more and more seldom."""
    reflector = Reflector(faulty, CLIENT_ORGANIZATIONS, IndexedStore(OrganizationIndex()), watch_seconds=1)
    async with running(reflector):
        await asyncio.wait_for(reflector.listed.wait(), 30)
        await wait_for_another(lambda: reflector.heard_at)
        faulty.refusals = [*(Unreachable("away") for _ in range(4)), *(Gone(410, "Expired", "too old") for _ in range(3))]
        while len(waits(caplog)) < 7:  # noqa: ASYNC110 the log sets no event
            await asyncio.sleep(0.05)
    away, old = waits(caplog)[:4], waits(caplog)[4:]
    assert away[-1] >= 0.8
    assert old[0] <= 0.2
    assert old[1] >= 0.2
    assert old[2] >= 0.4


def waits(caplog: pytest.LogCaptureFixture) -> list[float]:
    """Seconds until the next try, as they were logged."""
    tries = [record.args for record in caplog.records if "next try in" in record.msg]
    return [float(arguments[1]) for arguments in tries if isinstance(arguments, tuple)]  # type: ignore[arg-type]


async def wait_for_another(value: Callable[[], object]) -> None:
    """Until it is not what it is now."""
    before = value()
    while value() == before:  # noqa: ASYNC110 what is watched sets no event
        await asyncio.sleep(0.05)


class _Nothing:
    """A view that keeps nothing."""

    def __init__(self) -> None:
        self.began_again = asyncio.Event()
        self._lists = 0

    async def replace(self, listing: Pager[Agent]) -> None:
        """Read all of it."""
        self._lists += 1
        if self._lists > 1:
            self.began_again.set()
        async for _ in listing:
            pass

    def put(self, _: Agent) -> None:
        """Of no interest."""

    def remove(self, _: object) -> None:
        """Of no interest."""
