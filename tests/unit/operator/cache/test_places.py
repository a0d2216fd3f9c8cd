"""How many of an agent's credentials get a secret: those that have one keep it, of the others the oldest come first."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.places import Places, share_of
from agent_operator.last_used import LastUsedRecord
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import RequestKind, WorkQueue
from agentidp.domain.resources import (
    AgentCredential,
    CredentialCount,
    CredentialPhase,
    CredentialState,
    NamespacedName,
    Organization,
    OrganizationLimits,
)
from agentidp.domain.resources.conditions import READY
from agentidp.domain.resources.meta import age_of
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    ENDPOINTS,
    HOUR,
    NOW,
    a_condition,
    a_credential,
    a_registered_agent,
    a_uid,
    an_issued_credential,
    an_organization,
    respecified,
    restated,
)

LIMIT = 3


def numbered(number: int, one: AgentCredential) -> AgentCredential:
    """The same under another name; the higher the number, the younger."""
    born = NOW - DAY + timedelta(seconds=number)
    meta = replace(one.metadata, name=f"key-{number}", uid=a_uid(number), creation_timestamp=born, resource_version="1")
    return replace(one, metadata=meta)


def declared(number: int, **spec: Any) -> AgentCredential:
    """One of which nothing is recorded."""
    return numbered(number, a_credential(**spec))


def issued(number: int) -> AgentCredential:
    """One that has a secret."""
    return numbered(number, an_issued_credential())


def held_back(number: int) -> AgentCredential:
    """One for which there was no place."""
    condition = a_condition(READY, Reason.CREDENTIAL_LIMIT_REACHED, holds=False)
    return restated(declared(number), phase=CredentialPhase.PENDING, conditions=(condition,))


def changed(one: AgentCredential, version: int = 2) -> AgentCredential:
    """As it is at another resource version."""
    return replace(one, metadata=replace(one.metadata, resource_version=str(version)))


def world_of(*credentials: AgentCredential, organization: Organization | None = None) -> ClusterCache:
    """One agent and these."""
    cache = ClusterCache(WorkQueue())
    if organization:
        cache.organizations.put(organization)
    cache.agents.put(a_registered_agent(organization_id=organization.metadata.name if organization else None))
    for one in credentials:
        cache.credentials.put(one)
    return cache


def crowded_out(cache: ClusterCache, limit: int = LIMIT) -> list[str]:
    """Who gets no secret, the oldest first."""
    anything: Any = None
    gatherer = Gatherer(anything, cache, ENDPOINTS, LastUsedRecord(), limit)
    names = [one.metadata.name for one in cache.credentials if gatherer.gather_from_cache(one).input.crowded]
    return sorted(names, key=lambda name: int(name.removeprefix("key-")))


def test_the_oldest_come_first() -> None:
    """In whatever order they are seen."""
    assert crowded_out(world_of(*(declared(number) for number in (4, 0, 3, 1, 2)))) == ["key-3", "key-4"]


def test_who_has_a_secret_keeps_it() -> None:
    """However young, and however many have one already."""
    assert crowded_out(world_of(declared(0), issued(1), issued(2))) == []
    assert crowded_out(world_of(declared(0), *(issued(number) for number in range(1, 6)))) == ["key-0"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_those_that_are_reconciled_at_the_same_time_one_has_the_place(order: tuple[int, ...]) -> None:
    """`limits.credentialsPerAgent: 1` (tenancy.md): the first secret is being made when an older credential appears."""
    first, *others = order
    cache = world_of(declared(first))
    cache.places.reserve(declared(first))
    for count, number in enumerate(others, start=1):
        cache.credentials.put(declared(number))
        assert crowded_out(cache, limit=1) == sorted(f"key-{one}" for one in others[:count])
    cache.credentials.put(changed(issued(first)))
    assert crowded_out(cache, limit=1) == sorted(f"key-{one}" for one in others)


def test_a_place_that_is_given_back_is_for_the_oldest() -> None:
    """The one that had it is not issued after all."""
    cache = world_of(declared(0), declared(1))
    cache.places.reserve(declared(1))
    assert crowded_out(cache, limit=1) == ["key-0"]
    cache.places.release(declared(1))
    assert crowded_out(cache, limit=1) == ["key-1"]


def test_a_place_goes_with_its_credential() -> None:
    """Deleted before its secret was published."""
    cache = world_of(declared(0), declared(1))
    cache.places.reserve(declared(1))
    cache.credentials.remove(changed(declared(1)).metadata)
    assert crowded_out(cache, limit=1) == []


NO_PLACE: dict[str, AgentCredential] = {
    "was revoked": declared(0, state=CredentialState.REVOKED),
    "was revoked with its agent": restated(declared(0), revoked_at=NOW),
    "has expired": declared(0, expires_at=NOW - HOUR),
    "was made for an agent that is gone": restated(declared(0), client_id=a_uid(77), phase=CredentialPhase.PENDING),
    "is being deleted": replace(declared(0), metadata=replace(declared(0).metadata, deletion_timestamp=NOW)),
}


@pytest.mark.parametrize("one", NO_PLACE.values(), ids=NO_PLACE)
def test_no_place_is_kept_for_one_that(one: AgentCredential) -> None:
    """It never gets a secret."""
    assert crowded_out(world_of(one, *(declared(number) for number in (1, 2, 3)))) == []


LOOKS: dict[str, AgentCredential] = {
    "waits for its first look": declared(100_000),
    "was told to wait": held_back(100_000),
    "has a secret": issued(100_000),
    "was revoked": numbered(100_000, restated(a_credential(), phase=CredentialPhase.REVOKED)),
    "expires": declared(100_000, expires_at=NOW + 10_000 * DAY),
}


@pytest.mark.parametrize("others", [declared, held_back, issued], ids=["declared", "held back", "issued"])
@pytest.mark.parametrize("one", LOOKS.values(), ids=LOOKS)
def test_a_look_costs_the_same_however_many_others_there_are(
    one: AgentCredential, others: Callable[[int], AgentCredential]
) -> None:
    """Threat model: a namespace has its turn at the operator, so that it must not decide how long the turn takes."""
    few, many = (calls_of_a_look(world_of(*(others(number) for number in range(count))), one) for count in (20, 2_000))
    assert many < 2 * few


def calls_of_a_look(cache: ClusterCache, one: AgentCredential) -> int:
    """What is called for one that appears, is looked at, changes its phase, and goes; and for its agent's numbers."""
    gatherer = Gatherer(cast("Any", None), cache, ENDPOINTS, LastUsedRecord(), 1_000_000)

    def look() -> None:
        cache.credentials.put(one)
        gatherer.gather_from_cache(one)
        cache.credentials.put(changed(restated(one, phase=CredentialPhase.REVOKED, secret_hashes=(), conditions=())))
        cache.count_credentials(a_registered_agent().key)
        cache.credentials.remove(replace(one.metadata, resource_version="3"))

    return calls_of(look)


def calls_of(action: Callable[[], object]) -> int:
    """How many functions are called, those of Python itself as well."""
    calls = 0

    def called(_frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(called)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


def test_many_that_expire_at_once_cost_no_look_more_than_some() -> None:
    """Those that are not yet out of the line are ahead still: nobody gets a place too early, and each ends at its own look."""
    places, youngest = Places(), declared(100_000)
    expiring = [declared(number, expires_at=NOW + HOUR) for number in range(2_000)]
    for one in (*expiring, youngest):
        places.move(None, share_of(one), NOW)
    assert places.ahead_of(youngest, AGENT_ID, NOW) == len(expiring)
    later = NOW + 2 * HOUR
    assert calls_of(lambda: places.ahead_of(youngest, AGENT_ID, later)) < 1_000
    for one in expiring:
        places.move(share_of(one), share_of(restated(one, phase=CredentialPhase.EXPIRED)), later)
    assert places.ahead_of(youngest, AGENT_ID, later) == 0


MOMENTS = st.sampled_from([NOW + number * HOUR for number in range(-2, 5)])
CREDENTIALS = st.builds(
    lambda number, expires_at, state, **status: restated(declared(number, expires_at=expires_at, state=state), **status),
    st.integers(0, 8),
    st.one_of(st.none(), MOMENTS),
    st.sampled_from((CredentialState.ACTIVE, CredentialState.ACTIVE, CredentialState.REVOKED)),
    client_id=st.sampled_from((None, AGENT_ID, a_uid(77))),
    phase=st.sampled_from((CredentialPhase.PENDING, CredentialPhase.ACTIVE, CredentialPhase.EXPIRED)),
    secret_hashes=st.sampled_from(((), (), an_issued_credential().status.secret_hashes)),
    conditions=st.sampled_from(((), held_back(0).status.conditions)),
)


@given(st.lists(st.tuples(CREDENTIALS, st.booleans(), MOMENTS), max_size=30), MOMENTS, st.sampled_from((None, AGENT_ID)))
def test_the_accounts_are_those_of_a_recount(
    note: list[tuple[AgentCredential, bool, datetime]], moment: datetime, agent_id: str | None
) -> None:
    """After whatever happened to the credentials, and to the clock: also backwards."""
    places, known = Places(), dict[NamespacedName, AgentCredential]()
    for one, goes, at in note:
        before = known.pop(one.key, None)
        places.move(share_of(before) if before else None, None if goes else share_of(one), at)
        if not goes:
            known[one.key] = one
    agent, there = a_registered_agent().key, sorted(known.values(), key=age_of)
    waiting = [one.key for one in there if one.status.conditions]
    assert places.waiting(agent) == waiting
    assert places.next_in_line(agent) == next(iter(waiting), None)
    active = sum(one.status.phase is CredentialPhase.ACTIVE for one in there)
    assert places.count(agent) == CredentialCount(active=active, total=len(there))
    for one in there:
        if not one.status.secret_hashes:
            assert places.ahead_of(one, agent_id, moment) == sum(_is_ahead(other, one, agent_id, moment) for other in there)


def _is_ahead(other: AgentCredential, one: AgentCredential, agent_id: str | None, moment: datetime) -> bool:
    """It was issued, or is older and will be."""
    if other.status.client_id not in {None, agent_id}:
        return False
    is_over = other.spec.state is CredentialState.REVOKED or (other.spec.expires_at and other.spec.expires_at <= moment)
    return bool(other.status.secret_hashes) or (age_of(other) < age_of(one) and not is_over)


def test_one_that_is_moved_on_from_its_expiry_takes_its_place_again() -> None:
    """Many that are moved on at once get no more places than others."""
    expired = [restated(declared(number), phase=CredentialPhase.EXPIRED, client_id=AGENT_ID) for number in range(5)]
    moved = [respecified(one, expires_at=NOW + 10_000 * DAY) for one in expired]
    assert crowded_out(world_of(*moved)) == ["key-3", "key-4"]


@pytest.mark.parametrize("limit", [0, 2, 4])
def test_the_limit_of_an_organization_counts_in_place_of_the_default(limit: int) -> None:
    """Lower or higher."""
    organization = an_organization(limits=OrganizationLimits(credentials_per_agent=limit))
    cache = world_of(*(declared(number) for number in range(5)), organization=organization)
    assert crowded_out(cache) == [f"key-{number}" for number in range(limit, 5)]
    assert crowded_out(world_of(*(declared(number) for number in range(5)), organization=an_organization())) == [
        "key-3",
        "key-4",
    ]


def woken_by(cache: ClusterCache, *changes: AgentCredential, gone: AgentCredential | None = None) -> set[str]:
    """Which credentials are to be looked at after that, beside those that changed."""
    work = cache.work_queue = WorkQueue()
    for one in changes:
        cache.credentials.put(one)
    if gone:
        cache.credentials.remove(gone.metadata)
    changed_names = {one.metadata.name for one in (*changes, *filter(None, [gone]))}
    return {key.name.name for key in work.queued if key.kind is RequestKind.CREDENTIAL} - changed_names


def test_the_oldest_that_waits_is_looked_at_when_a_place_is_free() -> None:
    """A credential that ends leaves one, and so does one that goes."""
    cache = world_of(issued(0), issued(1), issued(2), held_back(5), held_back(4))
    assert woken_by(cache, changed(restated(issued(1), phase=CredentialPhase.REVOKED, secret_hashes=()))) == {"key-4"}
    assert woken_by(cache, gone=issued(0)) == {"key-4"}


def test_one_that_got_its_place_lets_the_next_have_a_look() -> None:
    """Two places may have become free at once; what else changes wakes nobody."""
    cache = world_of(issued(0), held_back(4), held_back(5))
    assert woken_by(cache, changed(issued(4))) == {"key-5"}
    assert woken_by(cache, changed(issued(0)), changed(held_back(5))) == set()
    assert woken_by(cache, declared(6), changed(held_back(6))) == set()


def test_who_waits_is_looked_at_when_the_organization_allows_more() -> None:
    """Only the limits count."""
    few = an_organization(limits=OrganizationLimits(credentials_per_agent=1))
    cache = world_of(issued(0), held_back(4), held_back(5), organization=few)
    more = replace(few, metadata=replace(few.metadata, resource_version="2"), status=replace(few.status, agents=1))
    assert woken_by_organization(cache, more) == set()
    limits = OrganizationLimits(credentials_per_agent=2)
    more = replace(few, metadata=replace(few.metadata, resource_version="3"), spec=replace(few.spec, limits=limits))
    assert woken_by_organization(cache, more) == {"key-4", "key-5"}


def woken_by_organization(cache: ClusterCache, organization: Organization) -> set[str]:
    """Which credentials are to be looked at after that."""
    work = cache.work_queue = WorkQueue()
    cache.organizations.put(organization)
    return {key.name.name for key in work.queued if key.kind is RequestKind.CREDENTIAL}
