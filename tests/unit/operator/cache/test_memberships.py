"""Who counts in an organization's accounts, and who is looked at when they change: counted, against a recount of everything."""

import asyncio
import sys
from collections import Counter
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.memberships import Memberships, place_of
from agent_operator.reconcilers.agent import AgentReconciler
from agent_operator.reconcilers.organization import OrganizationReconciler
from agent_operator.work_queue import RequestKind, WorkQueue
from agentidp.domain.identity.registration import Membership
from agentidp.domain.resources import (
    Agent,
    AgentState,
    AgentStatus,
    NamespacedName,
    Organization,
    OrganizationLimits,
    OrganizationStatus,
)
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import DAY, MINUTE, NAMESPACE, a_registered_agent, a_uid, an_agent, an_organization

FOREIGN = 600
ELSEWHERE = "elsewhere"


class Running:
    """A world, the reconcilers of agents and organizations, and every status that they write, which the world then has."""

    def __init__(self) -> None:
        self.work = WorkQueue()
        self.cache = ClusterCache(self.work)
        self.looks: Counter[RequestKind] = Counter()
        self.writer = 0
        self._versions = count(1)
        anything: Any = self
        self._reconcilers: dict[RequestKind, Any] = {
            RequestKind.AGENT: AgentReconciler(anything, self.cache, anything).reconcile,
            RequestKind.ORGANIZATION: OrganizationReconciler(anything, self.cache, anything).reconcile,
        }

    def put(self, one: Agent | Organization) -> None:
        """As the watch tells it; what is known of the status stays."""
        store: Any = self.cache.organizations if isinstance(one, Organization) else self.cache.agents
        known = store.get(one.key)
        if known:
            one = replace(one, status=known.status)
        store.put(replace(one, metadata=replace(one.metadata, resource_version=str(next(self._versions)))))

    def remove(self, one: Agent | Organization) -> None:
        """It is gone."""
        store: Any = self.cache.organizations if isinstance(one, Organization) else self.cache.agents
        if known := store.get(one.key):
            store.remove(replace(known.metadata, resource_version=str(next(self._versions))))

    async def find(self, _kind: Any, *name: str) -> Agent | None:
        """As a Cluster."""
        return self.cache.agents.get(NamespacedName(*name))

    async def agent_status(self, agent: Agent, status: AgentStatus) -> Agent:
        """As Writes."""
        self.writer += 1
        meta = replace(agent.metadata, resource_version=str(next(self._versions)))
        self.cache.agents.put(written := replace(agent, status=status, metadata=meta))
        return written

    async def organization_status(self, organization: Organization, status: OrganizationStatus) -> None:
        """As Writes."""
        self.writer += 1
        meta = replace(organization.metadata, resource_version=str(next(self._versions)))
        self.cache.organizations.put(replace(organization, status=status, metadata=meta))

    def agent_event(self, *_: Any, **__: Any) -> None:
        """As Writes."""

    async def at_rest(self) -> None:
        """All that is woken is looked at, until nothing is."""
        self.looks.clear()
        task = asyncio.create_task(self.work.run(self._reconcilers, lambda kind, *_: self.looks.update([kind]), lambda: None))
        await asyncio.sleep(0)
        while self.work.queued or self.work.stuck_for():  # noqa: ASYNC110 what is waited for is seen from outside
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])


class Slow(Running):
    """A world in which a status is written when `answers` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        anything: Any = self
        self.reconcile = AgentReconciler(anything, self.cache, anything).reconcile

    async def agent_status(self, agent: Agent, status: AgentStatus) -> Agent:
        """As Writes."""
        await self.answers.wait()
        return await super().agent_status(agent, status)

    def admitted(self) -> list[str]:
        """Who is registered in the organization, by name."""
        return sorted(one.metadata.name for one in self.cache.agents if one.status.organization_id)


def foreign(number: int, namespace: str = ELSEWHERE) -> Agent:
    """It claims an organization that does not admit its namespace."""
    return an_agent(f"foreign-{number}", namespace=namespace, uid=a_uid(number), organization_id="acme")


async def a_running_world(*agents: Agent, limit: int | None = 5) -> Running:
    """At rest."""
    running = Running()
    running.put(an_organization(limits=OrganizationLimits(agents=limit)))
    for agent in agents:
        running.put(agent)
    await running.at_rest()
    return running


async def test_a_change_of_an_organization_wakes_no_agent_that_it_does_not_admit() -> None:
    """However many claim it: their status says that it does not admit them, before as after."""
    running = await a_running_world(*(foreign(number) for number in range(FOREIGN)))
    running.put(an_organization(limits=OrganizationLimits(agents=6)))
    await running.at_rest()
    assert running.looks == {RequestKind.ORGANIZATION: 1}


async def test_a_registration_of_one_that_is_not_admitted_concerns_nobody_else() -> None:
    """Neither the organization nor others that claim it; its own status is written, which wakes it once more."""
    running = await a_running_world(*(foreign(number) for number in range(FOREIGN)))
    running.put(foreign(FOREIGN))
    await running.at_rest()
    assert set(running.looks) == {RequestKind.AGENT}
    assert running.looks[RequestKind.AGENT] <= 2


async def test_the_status_of_an_organization_wakes_no_agent() -> None:
    """One that is admitted is registered: it and its organization are looked at, and their own writes wake them once more."""
    running = await a_running_world(*(foreign(number, NAMESPACE) for number in range(FOREIGN)), limit=None)
    running.put(foreign(FOREIGN, NAMESPACE))
    await running.at_rest()
    assert running.looks[RequestKind.AGENT] <= 2
    assert running.looks[RequestKind.ORGANIZATION] <= 2


def test_computation_grows_with_the_number_of_agents_and_not_with_its_square() -> None:
    """Counted in calls of Python functions: admitted, waiting, and of namespaces that are not admitted."""
    few, many = (asyncio.run(_calls_to_register(number)) for number in (60, 240))
    assert many < 5 * few


async def _calls_to_register(number: int) -> int:
    agents = [foreign(one, namespace) for one in range(number) for namespace in (NAMESPACE, ELSEWHERE)]
    calls = 0

    def called(_frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(called)
    try:
        running = await a_running_world(*agents, limit=number // 2)
        running.put(an_organization(limits=OrganizationLimits(agents=number // 2 + 3)))
        await running.at_rest()
    finally:
        sys.setprofile(None)
    return calls


NAMESPACES = st.sampled_from(("n1", "n2", "n3"))
AGENTS = st.builds(
    lambda number, namespace, organization, state: an_agent(
        f"agent-{number}",
        namespace=namespace,
        uid=a_uid(number + 10 * int(namespace[1])),
        age=DAY + number * MINUTE,
        organization_id=organization,
        state=state,
    ),
    st.integers(0, 4),
    NAMESPACES,
    st.sampled_from((None, "acme", "acme", "acme", "other")),
    st.sampled_from((AgentState.ACTIVE, AgentState.ACTIVE, AgentState.SUSPENDED)),
)
ORGANIZATIONS = st.builds(
    lambda name, admits, limit: an_organization(name, admits=tuple(admits), limits=OrganizationLimits(agents=limit)),
    st.sampled_from(("acme", "acme", "other")),
    st.sets(NAMESPACES, min_size=2),
    st.sampled_from((None, 0, 1, 1, 2, 2, 3, 4)),
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "put", "remove")), st.one_of(AGENTS, AGENTS, AGENTS, ORGANIZATIONS), st.booleans()
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_whoever_a_change_concerns_is_woken(changes: list[tuple[str, Agent | Organization, bool]]) -> None:
    """After what was woken is at rest, a look at everything finds nothing to write, and no limit is exceeded by newcomers."""
    asyncio.run(_live(changes))


async def _live(changes: list[tuple[str, Agent | Organization, bool]]) -> None:
    running = Running()
    running.put(an_organization(admits=("n1", "n2", "n3"), limits=OrganizationLimits(agents=2)))
    for number in range(9):
        agent = an_agent(f"agent-{number % 3}", namespace=f"n{number // 3 + 1}", uid=a_uid(number), organization_id="acme")
        running.put(agent)
    await running.at_rest()
    for what, one, rests in changes:
        getattr(running, what)(one)
        if rests:
            await running.at_rest()
    await running.at_rest()
    running.writer = 0
    for agent in running.cache.agents:
        running.work.enqueue(RequestKind.AGENT, agent.key)
    for organization in running.cache.organizations:
        running.work.enqueue(RequestKind.ORGANIZATION, organization.key)
    await running.at_rest()
    assert running.writer == 0


@given(st.lists(st.tuples(AGENTS, st.sampled_from((None, "acme", "other")), st.booleans()), max_size=30), ORGANIZATIONS)
def test_the_accounts_are_those_of_a_recount(note: list[tuple[Agent, str | None, bool]], organization: Organization) -> None:
    """After whatever happened to the agents."""
    accounts, agents = Memberships(), dict[NamespacedName, Agent]()
    for agent, admitted_by, goes in note:
        known = agents.pop(agent.key, None)
        current = replace(agent, status=replace(agent.status, organization_id=admitted_by))
        if not goes:
            agents[agent.key] = current
        accounts.move(place_of(known) if known else None, None if goes else place_of(current))
    places = [place for one in agents.values() if (place := place_of(one)) and _is_in(place, organization)]
    waiting = sorted(place.age for place in places if place.standing is Membership.WAITING)
    admitted = [place for place in places if place.standing is Membership.ADMITTED]
    assert accounts.admitted(organization) == len(admitted)
    assert len(accounts.waiting(organization)) == len(waiting)
    limit = organization.spec.limits.agents
    for place in places:
        if place.standing is Membership.WAITING:
            has_place = limit is None or len(admitted) + waiting.index(place.age) < limit
            assert accounts.has_place_for(agents[place.name], organization) == has_place


def _is_in(place: Any, organization: Organization) -> bool:
    return place.organization == organization.metadata.name and place.namespace in organization.spec.namespaces


async def test_one_that_is_being_deleted_keeps_nobody_waiting() -> None:
    """It waits for somebody's finalizer, and is never admitted."""
    deleted = foreign(1, NAMESPACE)
    deleted = replace(deleted, metadata=replace(deleted.metadata, deletion_timestamp=deleted.metadata.creation_timestamp))
    running = await a_running_world(deleted, foreign(2, NAMESPACE), limit=1)
    second = running.cache.agents.get(NamespacedName(NAMESPACE, "foreign-2"))
    assert second
    assert second.status.conditions[0].reason == Reason.REGISTERED


def test_an_agent_counts_where_it_is_admitted() -> None:
    """And nowhere once it claims another organization."""
    agent = a_registered_agent(organization_id="acme")
    place = place_of(agent)
    assert place
    assert place.standing is Membership.ADMITTED
    moved = place_of(replace(agent, spec=replace(agent.spec, organization_id="other")))
    assert moved
    assert (moved.organization, moved.standing) == ("other", Membership.WAITING)


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_of_those_that_are_reconciled_at_the_same_time_as_many_are_admitted_as_the_limit_says(
    order: tuple[int, ...],
) -> None:
    """`limits.agents: 2` (tenancy.md): admissions are being written when an agent appears that counts as older, by its uid."""
    running = Slow()
    running.put(an_organization(admits=("n1", "n2"), limits=OrganizationLimits(agents=2)))
    looks = []
    for number in order:
        running.put(agent := foreign(number, f"n{number % 2 + 1}"))
        looks.append(asyncio.create_task(running.reconcile(agent.key)))
        await asyncio.sleep(0)
    running.answers.set()
    await asyncio.gather(*looks)
    await running.at_rest()
    assert len(running.admitted()) == 2


def a_full_world() -> tuple[Memberships, Organization, Agent, Agent]:
    """Of two agents the younger has the one place reserved."""
    memberships, organization = Memberships(), an_organization(limits=OrganizationLimits(agents=1))
    older, younger = foreign(0, NAMESPACE), foreign(1, NAMESPACE)
    memberships.move(None, place_of(younger))
    memberships.reserve(younger)
    memberships.move(None, place_of(older))
    assert not memberships.has_place_for(older, organization)
    assert memberships.has_place_for(younger, organization)
    return memberships, organization, older, younger


def test_a_place_that_is_given_back_is_for_the_oldest() -> None:
    """The one that had it is not admitted after all."""
    memberships, organization, older, younger = a_full_world()
    memberships.release(younger)
    assert memberships.has_place_for(older, organization)
    assert not memberships.has_place_for(younger, organization)


def test_a_place_goes_with_its_agent() -> None:
    """Deleted before its admission was written; and no place is reserved for one that is gone."""
    memberships, organization, older, younger = a_full_world()
    memberships.move(place_of(younger), None)
    memberships.reserve(younger)
    assert memberships.has_place_for(older, organization)
