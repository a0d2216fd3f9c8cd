"""Staleness: without word from the API server for too long there are no tokens."""

from typing import Any, cast

from agentidp.cache.freshness import Freshness
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS
from agentidp.kube.reflector import Reflector
from tests.support.clocks import ManualClock
from tests.support.token_services import ServedAlone


def a_reflector(kind: Any, heard: float | None) -> Reflector[Any]:
    """One that has listed, and heard last at this moment; or has not listed."""
    one: Reflector[Any] = Reflector(cast("KubeClient", None), kind, cast("Any", None))
    if heard is not None:
        one.heard_at = heard
        one.listed.set()
    return one


def test_staleness_before_the_first_list() -> None:
    """By its name."""
    freshness = Freshness([a_reflector(AGENTS, None), a_reflector(ORGANIZATIONS, 1000)], 300, ManualClock())
    assert freshness.missing() == ["agents are not listed yet"]
    assert not freshness.is_fresh()


def test_staleness_without_word_for_too_long() -> None:
    """The one that was heard of longest ago decides."""
    clock = ManualClock()
    quiet, lively = a_reflector(AGENTS, 1000), a_reflector(ORGANIZATIONS, 1000)
    freshness = Freshness([quiet, lively], 300, clock)
    assert freshness.is_fresh()
    lively.heard_at = clock.now = 1300
    assert freshness.is_fresh()
    clock.now = 1300.1
    assert not freshness.is_fresh()
    assert freshness.missing() == ["no word about agents from the API server for 300 s"]
    assert round(freshness.staleness(), 3) == 300.1


def test_staleness_ends_as_soon_as_there_is_word() -> None:
    """Nothing needs a restart."""
    clock = ManualClock()
    reflector = a_reflector(AGENTS, 1000)
    freshness = Freshness([reflector], 300, clock)
    clock.now = 2000
    assert not freshness.is_fresh()
    reflector.heard_at = 1999
    assert freshness.is_fresh()


async def test_staleness_stops_tokens_and_readiness(served: ServedAlone) -> None:
    """503, and when to come back; and the pod is not ready."""
    served.credentials.heard_at = 0
    answer = await served.token()
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "temporarily_unavailable", "5")
    ready = await served.http.get("/readyz")
    assert ready.status_code == 503
    assert "no word about agentcredentials" in ready.json()["missing"][0]
