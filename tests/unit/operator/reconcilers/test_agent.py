"""What one tenant's agents may cost others: places in an organization, and the operator's time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.reconcilers.agent import AgentReconciler
from agent_operator.reconcilers.organization import OrganizationReconciler
from agent_operator.work_queue import WorkQueue
from agentidp.domain.resources import Agent, AgentState, NamespacedName, Organization, OrganizationLimits
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import AGENT_ID, NAMESPACE, a_registered_agent, a_uid, an_agent, an_organization

FULL = 2
ELSEWHERE = "elsewhere"
OLD = timedelta(days=9)


class Known:
    """A cluster that has what the world has, and keeps count of what is asked and written."""

    def __init__(self, *objects: Agent | Organization) -> None:
        self.cache = ClusterCache(WorkQueue())
        self.asked = 0
        self.reasons: dict[NamespacedName, str] = {}
        self.admitted = 0
        for one in objects:
            if isinstance(one, Organization):
                self.cache.organizations.put(one)
            else:
                self.cache.agents.put(one)

    async def find(self, _kind: Any, *name: str) -> Agent | None:
        """As a Cluster."""
        self.asked += 1
        return self.cache.agents.get(NamespacedName(*name))

    async def agent_status(self, agent: Agent, status: Any) -> Agent:
        """As Writes."""
        ready = condition(status.conditions, READY)
        assert ready
        self.reasons[agent.key] = ready.reason
        return agent

    async def organization_status(self, _organization: Organization, status: Any) -> None:
        """As Writes."""
        self.admitted = status.agents

    def agent_event(self, *_: Any, **__: Any) -> None:
        """As Writes."""

    async def reason_of(self, agent: Agent) -> str | None:
        """What the operator says of an agent."""
        anything: Any = self
        await AgentReconciler(anything, self.cache, anything).reconcile(agent.key)
        return self.reasons.get(agent.key)


def foreign(number: int, **agent: Any) -> Agent:
    """A registered agent of a namespace that the organization does not admit."""
    options: dict[str, Any] = {
        "namespace": ELSEWHERE,
        "organization_id": "acme",
        "age": OLD,
        "name": f"foreign-{number}",
    } | agent
    return a_registered_agent(a_uid(number), uid=a_uid(number), **options)


def unadmitted(number: int, **agent: Any) -> Agent:
    """An agent that belongs to the organization, and was registered, or suspended, before it was admitted."""
    one = foreign(number, namespace=NAMESPACE, **agent)
    return replace(one, status=replace(one.status, organization_id=None))


PLACES: dict[str, Callable[[int], Agent]] = {
    "not admitted": lambda number: foreign(number, reason=Reason.ORGANIZATION_NOT_ADMITTED),
    "suspended and never admitted": lambda number: foreign(number, reason=Reason.AGENT_SUSPENDED, state=AgentState.SUSPENDED),
    "admitted when it claimed nothing": foreign,
    "suspended before it was admitted": lambda number: unadmitted(
        number, reason=Reason.AGENT_SUSPENDED, state=AgentState.SUSPENDED
    ),
    "registered before it claimed anything, and younger": lambda number: unadmitted(number, age=timedelta()),
    "decommissioned": lambda number: foreign(
        number, namespace=NAMESPACE, reason=Reason.AGENT_DECOMMISSIONED, state=AgentState.DECOMMISSIONED
    ),
    "without an id": lambda number: foreign(number, namespace=NAMESPACE, reason=Reason.AGENT_ID_CONFLICT),
}


@pytest.mark.parametrize("what", PLACES)
async def test_who_does_not_belong_takes_no_place(what: str) -> None:
    """However many and however old they are."""
    organization = an_organization(limits=OrganizationLimits(agents=FULL))
    agent = an_agent(organization_id=organization.metadata.name)
    known = Known(organization, agent, *(PLACES[what](number) for number in range(FULL)))
    anything: Any = known
    await OrganizationReconciler(anything, known.cache, anything).reconcile(organization.key)
    assert known.admitted == 0
    assert await known.reason_of(agent) == Reason.REGISTERED


@pytest.mark.parametrize("reason", [Reason.REGISTERED, Reason.AGENT_SUSPENDED, Reason.ORGANIZATION_LIMIT_REACHED])
async def test_who_belongs_or_waits_longer_takes_a_place(reason: Reason) -> None:
    """As many as the limit says."""
    organization = an_organization(limits=OrganizationLimits(agents=FULL))
    agent = an_agent(organization_id=organization.metadata.name)
    others = [foreign(number, namespace=NAMESPACE, reason=reason) for number in range(FULL)]
    assert await Known(organization, agent, *others).reason_of(agent) == Reason.ORGANIZATION_LIMIT_REACHED
    assert await Known(organization, agent, *others[1:]).reason_of(agent) == Reason.REGISTERED


@pytest.mark.parametrize("reason", [Reason.REGISTERED, Reason.AGENT_SUSPENDED])
async def test_nobody_slips_in(reason: Reason) -> None:
    """Neither who was registered first and claims the organization later, nor who was suspended when it was looked at."""
    organization = an_organization(limits=OrganizationLimits(agents=FULL))
    others = (foreign(number, namespace=NAMESPACE, reason=Reason.REGISTERED, age=timedelta()) for number in range(FULL))
    agent = unadmitted(9, reason=reason)
    assert await Known(organization, agent, *others).reason_of(agent) == Reason.ORGANIZATION_LIMIT_REACHED


async def test_many_claimants_of_an_id_cost_one_look_each() -> None:
    """And not one for each other."""
    holder = a_registered_agent()
    claimants = [an_agent(f"claimant-{one}", uid=a_uid(one), age=OLD, agent_id=AGENT_ID) for one in range(50)]
    known = Known(holder, *claimants)
    for one in claimants:
        assert await known.reason_of(one) == Reason.AGENT_ID_CONFLICT
    assert known.asked == len(claimants)
