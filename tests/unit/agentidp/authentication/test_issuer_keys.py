"""The cluster's keys are fetched before they are needed, shared by all who need them, and not asked for without end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from agentidp.authentication import issuer_keys as cluster_keys
from agentidp.authentication.issuer_keys import IssuerKeys
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


@pytest.fixture
async def keys(cluster: Cluster) -> AsyncIterator[IssuerKeys]:
    """Those of the cluster, as the service keeps them."""
    keys = IssuerKeys(cluster)
    keeping = asyncio.create_task(keys.keep())
    await asyncio.sleep(0.01)
    yield keys
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_they_are_there_before_they_are_needed(keys: IssuerKeys, cluster: Cluster) -> None:
    """So that the API server need not be, then."""
    cluster.away = True
    assert CLUSTER_KEY.key_id in (await keys.issuer_with(CLUSTER_KEY.key_id)).keys
    assert cluster.asked == 1


async def test_a_new_key_is_fetched_when_it_is_seen(
    keys: IssuerKeys, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a token by it need not know that it is new."""
    monkeypatch.setattr(cluster_keys, "SECONDS_BETWEEN", 0.0)
    cluster.keys = [NEW_KEY]
    assert NEW_KEY.key_id in (await keys.issuer_with(NEW_KEY.key_id)).keys


async def test_a_flood_of_unknown_keys_becomes_none_at_the_api_server(
    keys: IssuerKeys, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who ask while one waits share its answer, and two questions have some time between them."""
    monkeypatch.setattr(cluster_keys, "SECONDS_BETWEEN", 0.2)
    before = cluster.asked
    for _ in range(2):
        await asyncio.gather(*(keys.issuer_with(f"unknown-{number}") for number in range(100)))
    assert cluster.asked == before + 2


async def test_a_withdrawn_key_is_forgotten(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody's asking."""
    monkeypatch.setattr(cluster_keys, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(cluster_keys, "REFRESH_SECONDS", 0.01)
    keys = IssuerKeys(cluster)
    keeping = asyncio.create_task(keys.keep())
    await keys.issuer_with(CLUSTER_KEY.key_id)
    cluster.keys, asked = [NEW_KEY], cluster.asked
    await until(lambda: cluster.asked > asked)
    assert CLUSTER_KEY.key_id not in (await keys.issuer_with(NEW_KEY.key_id)).keys
    keeping.cancel()


async def test_trouble_is_waited_out(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service keeps asking, and whoever needs a key meanwhile is told."""
    monkeypatch.setattr(cluster_keys, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(cluster_keys, "FIRST_BACKOFF", 0.01)
    cluster.away = True
    keys = IssuerKeys(cluster)
    keeping = asyncio.create_task(keys.keep())
    with pytest.raises(Unreachable):
        await keys.issuer_with(CLUSTER_KEY.key_id)
    cluster.away = False
    asked = cluster.asked
    await until(lambda: cluster.asked > asked)
    assert CLUSTER_KEY.key_id in (await keys.issuer_with(CLUSTER_KEY.key_id)).keys
    keeping.cancel()


async def test_an_answer_is_not_waited_for_without_end(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server that hangs is as good as away."""
    monkeypatch.setattr(cluster_keys, "TIMEOUT_SECONDS", 0.01)
    cluster.hangs = True
    with pytest.raises(Unreachable):
        await IssuerKeys(cluster).issuer_with(CLUSTER_KEY.key_id)


async def test_a_caller_that_goes_away_takes_nobody_along(cluster: Cluster) -> None:
    """The question is shared, the wait is not."""
    keys = IssuerKeys(cluster)
    first, second = (asyncio.create_task(keys.issuer_with(CLUSTER_KEY.key_id)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert CLUSTER_KEY.key_id in (await second).keys
    assert cluster.asked == 1
