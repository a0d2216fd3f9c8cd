"""Issuer keys: read before they are needed, shared by concurrent callers, and at a bounded rate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from agentidp.authentication.issuer_keys import IssuerKeys, Limits
from agentidp.domain.tokens.client_assertions import TokenIssuer
from agentidp.kube.errors import Unreachable
from tests.support.assertions import CLUSTER_KEY, a_cluster_key, issuer_of

NEW_KEY = a_cluster_key()


class Cluster:
    """An API server that is asked for its keys."""

    def __init__(self) -> None:
        self.keys = [CLUSTER_KEY]
        self.asked = 0
        self.away = False
        self.hangs = False

    async def __call__(self) -> TokenIssuer:
        """Its answer."""
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise Unreachable("away")
        answer = issuer_of(*self.keys)
        await asyncio.sleep(0)
        return answer


async def until(so: Callable[[], bool]) -> None:
    """Let others work until it is so."""
    for _ in range(1000):
        if so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never was so")


@pytest.fixture
def cluster() -> Cluster:
    """One that answers."""
    return Cluster()


@asynccontextmanager
async def kept_keys(cluster: Cluster, limits: Limits) -> AsyncIterator[IssuerKeys]:
    """The keys of the cluster, as the service keeps them, after the first read."""
    keys = IssuerKeys(cluster, limits)
    keeping = asyncio.create_task(keys.keep())
    await asyncio.sleep(0.01)
    yield keys
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_issuer_keys_are_read_before_they_are_needed(cluster: Cluster) -> None:
    """So that the API server need not be there, then."""
    async with kept_keys(cluster, Limits()) as keys:
        cluster.away = True
        assert CLUSTER_KEY.key_id in (await keys.issuer_with(CLUSTER_KEY.key_id)).keys
        assert cluster.asked == 1


async def test_issuer_keys_are_read_for_a_new_key(cluster: Cluster) -> None:
    """A client with a token by it need not know that the key is new."""
    async with kept_keys(cluster, Limits(seconds_between=0.0)) as keys:
        cluster.keys = [NEW_KEY]
        assert NEW_KEY.key_id in (await keys.issuer_with(NEW_KEY.key_id)).keys


async def test_issuer_keys_are_read_once_for_many_unknown_keys(cluster: Cluster) -> None:
    """Callers share the read that waits for its time, and two reads have some time between them."""
    async with kept_keys(cluster, Limits(seconds_between=0.2)) as keys:
        before = cluster.asked
        for _ in range(2):
            await asyncio.gather(*(keys.issuer_with(f"unknown-{number}") for number in range(100)))
        assert cluster.asked == before + 2


async def test_issuer_keys_lose_a_withdrawn_key(cluster: Cluster) -> None:
    """By the next periodic read."""
    async with kept_keys(cluster, Limits(seconds_between=0.0, refresh_seconds=0.01)) as keys:
        await keys.issuer_with(CLUSTER_KEY.key_id)
        cluster.keys, asked = [NEW_KEY], cluster.asked
        await until(lambda: cluster.asked > asked)
        assert CLUSTER_KEY.key_id not in (await keys.issuer_with(NEW_KEY.key_id)).keys


class ControlledReads:
    """Reads, each of which ends when a test says so."""

    def __init__(self) -> None:
        self.begun: list[asyncio.Future[TokenIssuer]] = []

    async def __call__(self) -> TokenIssuer:
        """Wait for the answer."""
        self.begun.append(asyncio.get_running_loop().create_future())
        return await self.begun[-1]


async def two_reads(keys: IssuerKeys, reads: ControlledReads) -> list[asyncio.Task[TokenIssuer]]:
    """Their callers: the second read has begun while the first still runs."""
    first = asyncio.create_task(keys.refresh())
    await until(lambda: len(reads.begun) == 1)
    second = asyncio.create_task(keys.refresh())
    await until(lambda: len(reads.begun) == 2)
    return [first, second]


async def test_issuer_keys_of_a_later_read_stay_when_an_earlier_read_ends() -> None:
    """A withdrawn key does not come back, and whoever waited for the earlier read gets what is known by then."""
    reads = ControlledReads()
    keys = IssuerKeys(reads, Limits(seconds_between=0.0))
    first, second = await two_reads(keys, reads)
    reads.begun[1].set_result(issuer_of(NEW_KEY))
    await second
    reads.begun[0].set_result(issuer_of(CLUSTER_KEY))
    assert set((await first).keys) == {NEW_KEY.key_id}
    assert keys.known is await second


async def test_issuer_keys_of_an_earlier_read_count_when_a_later_read_fails() -> None:
    """A read that returned nothing decides nothing."""
    reads = ControlledReads()
    keys = IssuerKeys(reads, Limits(seconds_between=0.0))
    first, second = await two_reads(keys, reads)
    reads.begun[1].set_exception(Unreachable("away"))
    with pytest.raises(Unreachable):
        await second
    reads.begun[0].set_result(issuer_of(CLUSTER_KEY))
    assert set((await first).keys) == {CLUSTER_KEY.key_id}


async def test_issuer_keys_are_read_again_after_a_failure(cluster: Cluster) -> None:
    """A caller who needs a key meanwhile gets the failure."""
    cluster.away = True
    async with kept_keys(cluster, Limits(seconds_between=0.0, min_backoff=0.01)) as keys:
        with pytest.raises(Unreachable):
            await keys.issuer_with(CLUSTER_KEY.key_id)
        cluster.away = False
        asked = cluster.asked
        await until(lambda: cluster.asked > asked)
        assert CLUSTER_KEY.key_id in (await keys.issuer_with(CLUSTER_KEY.key_id)).keys


async def test_issuer_keys_have_a_timeout(cluster: Cluster) -> None:
    """An API server that hangs is one that is away."""
    cluster.hangs = True
    with pytest.raises(Unreachable):
        await IssuerKeys(cluster, Limits(timeout_seconds=0.01)).issuer_with(CLUSTER_KEY.key_id)


async def test_issuer_keys_are_read_on_when_a_caller_is_cancelled(cluster: Cluster) -> None:
    """The read is shared, the wait is not."""
    keys = IssuerKeys(cluster)
    first, second = (asyncio.create_task(keys.issuer_with(CLUSTER_KEY.key_id)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert CLUSTER_KEY.key_id in (await second).keys
    assert cluster.asked == 1
