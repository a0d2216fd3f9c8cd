"""How many of an agent's credentials get a secret: those that have one keep it, of the others the oldest come first."""

from datetime import timedelta
from typing import Any, cast
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from agent_operator.observation import Observer
from agent_operator.usage import UsageBook
from agent_operator.work import Topic, Work
from agent_operator.world import World
from agentidp.domain.conditions import READY
from agentidp.domain.reasons import Reason
from agentidp.domain.resources import AgentCredential, CredentialPhase, CredentialState, Organization, OrganizationLimits
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


def world_of(*credentials: AgentCredential, organization: Organization | None = None) -> World:
    """One agent and these."""
    world = World(Work())
    if organization:
        world.organizations.put(organization)
    world.agents.put(a_registered_agent(organization_id=organization.metadata.name if organization else None))
    for one in credentials:
        world.credentials.put(one)
    return world


def crowded_out(world: World, limit: int = LIMIT) -> list[str]:
    """Who gets no secret, the oldest first."""
    anything: Any = None
    observer = Observer(anything, world, ENDPOINTS, UsageBook(), limit)
    names = [one.metadata.name for one in world.credentials if observer.recall(one).seen.crowded]
    return sorted(names, key=lambda name: int(name.removeprefix("key-")))


def test_the_oldest_come_first() -> None:
    """In whatever order they are seen."""
    assert crowded_out(world_of(*(declared(number) for number in (4, 0, 3, 1, 2)))) == ["key-3", "key-4"]


def test_who_has_a_secret_keeps_it() -> None:
    """However young, and however many have one already."""
    assert crowded_out(world_of(declared(0), issued(1), issued(2))) == []
    assert crowded_out(world_of(declared(0), *(issued(number) for number in range(1, 6)))) == ["key-0"]


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


def test_who_takes_no_place_is_not_compared_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent may have any number of them, and each is looked at: so none may cost more, the more there are."""
    ended = [one for what, one in NO_PLACE.items() if "agent that is gone" not in what]
    world = world_of(*ended, *(held_back(number) for number in (5, 6)))
    all_others = Mock(return_value=[])
    monkeypatch.setattr(world, "credentials_of", all_others)
    monkeypatch.setattr(world, "_waiting_of", all_others)
    observer = Observer(cast("Any", None), world, ENDPOINTS, UsageBook(), LIMIT)
    assert not any(observer.recall(one).seen.crowded for one in ended)
    revoked = numbered(7, restated(a_credential(), phase=CredentialPhase.REVOKED))
    for one in (revoked, changed(revoked), changed(held_back(5))):
        world.credentials.put(one)
    all_others.assert_not_called()


def test_one_that_is_moved_on_from_its_expiry_takes_its_place_again() -> None:
    """Many that are moved on at once get no more places than others."""
    expired = [restated(declared(number), phase=CredentialPhase.EXPIRED, client_id=AGENT_ID) for number in range(5)]
    moved = [respecified(one, expires_at=NOW + 10_000 * DAY) for one in expired]
    assert crowded_out(world_of(*moved)) == ["key-3", "key-4"]


@pytest.mark.parametrize("limit", [0, 2, 4])
def test_the_limit_of_an_organization_counts_in_place_of_the_default(limit: int) -> None:
    """Lower or higher."""
    organization = an_organization(limits=OrganizationLimits(credentials_per_agent=limit))
    world = world_of(*(declared(number) for number in range(5)), organization=organization)
    assert crowded_out(world) == [f"key-{number}" for number in range(limit, 5)]
    assert crowded_out(world_of(*(declared(number) for number in range(5)), organization=an_organization())) == [
        "key-3",
        "key-4",
    ]


def woken_by(world: World, *changes: AgentCredential, gone: AgentCredential | None = None) -> set[str]:
    """Which credentials are to be looked at after that, beside those that changed."""
    work = world._work = Work()
    for one in changes:
        world.credentials.put(one)
    if gone:
        world.credentials.remove(gone.metadata)
    changed_names = {one.metadata.name for one in (*changes, *filter(None, [gone]))}
    return {key.name.name for key in work.queued if key.topic is Topic.CREDENTIAL} - changed_names


def test_the_oldest_that_waits_is_looked_at_when_a_place_is_free() -> None:
    """A credential that ends leaves one, and so does one that goes."""
    world = world_of(issued(0), issued(1), issued(2), held_back(5), held_back(4))
    assert woken_by(world, changed(restated(issued(1), phase=CredentialPhase.REVOKED, secret_hashes=()))) == {"key-4"}
    assert woken_by(world, gone=issued(0)) == {"key-4"}


def test_one_that_got_its_place_lets_the_next_have_a_look() -> None:
    """Two places may have become free at once; what else changes wakes nobody."""
    world = world_of(issued(0), held_back(4), held_back(5))
    assert woken_by(world, changed(issued(4))) == {"key-5"}
    assert woken_by(world, changed(issued(0)), changed(held_back(5))) == set()
    assert woken_by(world, declared(6), changed(held_back(6))) == set()


def test_who_waits_is_looked_at_when_the_organization_allows_more() -> None:
    """Only the limits count."""
    few = an_organization(limits=OrganizationLimits(credentials_per_agent=1))
    world = world_of(issued(0), held_back(4), held_back(5), organization=few)
    more = replace(few, metadata=replace(few.metadata, resource_version="2"), status=replace(few.status, agents=1))
    assert woken_by_organization(world, more) == set()
    limits = OrganizationLimits(credentials_per_agent=2)
    more = replace(few, metadata=replace(few.metadata, resource_version="3"), spec=replace(few.spec, limits=limits))
    assert woken_by_organization(world, more) == {"key-4", "key-5"}


def woken_by_organization(world: World, organization: Organization) -> set[str]:
    """Which credentials are to be looked at after that."""
    work = world._work = Work()
    world.organizations.put(organization)
    return {key.name.name for key in work.queued if key.topic is Topic.CREDENTIAL}
