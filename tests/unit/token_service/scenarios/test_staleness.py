"""Without word from the API server for too long there are no tokens."""

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


def test_what_has_not_listed_is_missing() -> None:
    """By its name."""
    freshness = Freshness([a_reflector(AGENTS, None), a_reflector(ORGANIZATIONS, 1000)], 300, ManualClock())
    assert freshness.missing() == ["agents are not listed yet"]
    assert not freshness.is_fresh()


def test_what_was_not_heard_of_for_too_long_is_missing() -> None:
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


def test_it_is_fresh_again_as_soon_as_there_is_word() -> None:
    """Nothing needs a restart."""
    clock = ManualClock()
    reflector = a_reflector(AGENTS, 1000)
    freshness = Freshness([reflector], 300, clock)
    clock.now = 2000
    assert not freshness.is_fresh()
    reflector.heard_at = 1999
    assert freshness.is_fresh()


async def test_while_it_is_stale_there_are_no_tokens(served: ServedAlone) -> None:
    """503, and when to come back; and the pod is not ready."""
    served.credentials.heard_at = 0
    answer = await served.token()
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "temporarily_unavailable", "5")
    ready = await served.http.get("/readyz")
    assert ready.status_code == 503
    assert "no word about agentcredentials" in ready.json()["missing"][0]
