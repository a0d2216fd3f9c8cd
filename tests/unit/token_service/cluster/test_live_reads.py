"""Live reads: shared, bounded, superseded by the watch. `scenarios/test_live_recheck` has what becomes of requests."""

import asyncio

import pytest

from agentidp.domain.identity.clients import client_agent
from agentidp.kube.errors import TooLarge, Unreachable
from tests.support.worlds import AGENT_ID, a_registered_agent, a_suspended_agent, a_uid
from token_service.cluster.cache import ClientIndex
from token_service.cluster.live_reads import LiveReader, LiveRecheck, TooManyWaiting
from token_service.limits import LIMITS, Limits

AGENT = client_agent(a_registered_agent())


class ApiServer:
    """Has one agent, and answers when it may."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.is_too_large = False

    async def __call__(self, client_id: str) -> ClientIndex:
        """The state when it is asked."""
        self.reads.append(client_id)
        clients = ClientIndex()
        clients.agents.put(AGENT)
        await self.answers.wait()
        if self.is_too_large:
            raise TooLarge("a MiB")
        return clients


async def test_live_reader_shares_the_next_read() -> None:
    """A read is never older than its request: those that come while one runs have the next one."""
    server = ApiServer()
    server.answers.clear()
    reader = LiveReader(server, ClientIndex())
    first = asyncio.create_task(reader.read(AGENT_ID))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(reader.read(AGENT_ID)) for _ in range(9)]
    await asyncio.sleep(0)
    server.answers.set()
    assert all(await asyncio.gather(first, *others))
    assert server.reads == [AGENT_ID] * 2


async def test_live_reader_has_a_budget_for_each_client_and_for_unknown_ones() -> None:
    """Whoever gets no read is told so, and not that there is no such client."""
    reader = LiveReader(ApiServer(), ClientIndex(), Limits(live_reads_per_second=0.001, live_reads_burst=20))
    of_one = [await reader.read(AGENT_ID) for _ in range(LIMITS.live_reads_of_client_burst + 3)]
    assert sum(read is not None for read in of_one) == LIMITS.live_reads_of_client_burst
    of_others = [await reader.read(a_uid(number)) for number in range(20)]
    assert sum(read is not None for read in of_others) == 20 - LIMITS.live_reads_of_client_burst
    assert reader.is_short
    assert await reader.read(AGENT_ID, exists=True) is None
    assert await reader.read(a_uid(99), exists=True)


async def test_live_reader_prefers_the_newer_watch_state() -> None:
    """The watch has reported a suspension after the read began."""
    server, cache = ApiServer(), ClientIndex()
    server.answers.clear()
    reading = asyncio.create_task(LiveReader(server, cache).latest(AGENT_ID))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    suspended = client_agent(a_suspended_agent())
    cache.agents.put(suspended)
    server.answers.set()
    clients = await reading
    assert clients.agent(AGENT_ID) in (suspended, AGENT)
    assert len(server.reads) == 2, "the superseded read counts for nothing"


async def test_live_reader_does_not_wait_without_end() -> None:
    """An API server that hangs is as one that is away."""
    server = ApiServer()
    server.answers.clear()
    with pytest.raises(Unreachable):
        await LiveReader(server, ClientIndex(), Limits(live_read_timeout_seconds=0.01)).read(AGENT_ID)


async def test_live_recheck_ends_with_the_api_servers_state() -> None:
    """It is the newest view that there can be."""
    cache = ClientIndex()
    recheck = LiveRecheck(cache, LiveReader(ApiServer(), cache))
    views = [view async for view in recheck.views(AGENT_ID)]
    assert [view.is_live for view in views] == [True]
    assert views[0].clients.agent(AGENT_ID) == AGENT


async def test_live_recheck_shows_the_cluster_cache_after_each_change_where_no_read_is_possible() -> None:
    """Such as for a client that is too large to be read."""
    server, cache = ApiServer(), ClientIndex()
    server.is_too_large = True
    recheck = LiveRecheck(cache, LiveReader(server, cache), Limits(recheck_patience_seconds=0.2))
    seen = []
    async for view in recheck.views(AGENT_ID):
        seen.append(view.clients.agent(AGENT_ID))
        if len(seen) == 1:
            asyncio.get_running_loop().call_later(0.01, cache.agents.put, AGENT)
    assert seen == [None, AGENT]


async def test_live_recheck_bounds_who_waits() -> None:
    """`max_recheck_waiters`."""
    server, cache = ApiServer(), ClientIndex()
    server.is_too_large = True
    limits = Limits(recheck_patience_seconds=5, max_recheck_waiters=1)
    recheck = LiveRecheck(cache, LiveReader(server, cache, limits), limits)

    async def run(client_id: str) -> None:
        async for _ in recheck.views(client_id):
            pass

    first = asyncio.create_task(run(AGENT_ID))
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyWaiting):
        await run(a_uid(2))
    first.cancel()
