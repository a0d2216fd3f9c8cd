"""Freshness of watch-fed caches: what is missing, and since when."""

from typing import Any, cast

from agentidp.cache.freshness import Freshness
from agentidp.kube.kinds import AGENTS, CREDENTIALS
from agentidp.kube.reflector import Reflector
from tests.support.clocks import ManualClock

MAX_STALENESS = 30.0


def reflectors() -> list[Reflector[Any]]:
    """Of two kinds, not started."""
    return [Reflector(cast("Any", None), kind, cast("Any", None)) for kind in (AGENTS, CREDENTIALS)]


def test_freshness_is_missing_until_all_kinds_are_listed() -> None:
    """Each is named."""
    agents, credentials = reflectors()
    freshness = Freshness([agents, credentials], MAX_STALENESS, ManualClock())
    agents.listed.set()
    agents.heard_at = 1000.0
    assert freshness.missing() == ["agentcredentials are not listed yet"]
    assert not freshness.is_fresh()


def test_freshness_ends_when_one_kind_was_not_heard_of_for_too_long() -> None:
    """And is there again with the next word."""
    clock, both = ManualClock(), reflectors()
    freshness = Freshness(both, MAX_STALENESS, clock)
    for reflector in both:
        reflector.listed.set()
        reflector.heard_at = clock.now
    assert freshness.is_fresh()
    clock.now += MAX_STALENESS + 1
    both[0].heard_at = clock.now
    assert not freshness.is_fresh()
    assert freshness.missing() == ["no word about agentcredentials from the API server for 31 s"]
    assert freshness.staleness() == MAX_STALENESS + 1
    both[1].heard_at = clock.now
    assert freshness.is_fresh()
