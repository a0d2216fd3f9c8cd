"""The reconciler of organizations."""

from agent_operator.reconcilers.organization import OrganizationReconciler
from agentidp.domain.resources.conditions import READY, condition
from agentidp.kube.kinds import ORGANIZATIONS
from tests.support.operators import a_leader
from tests.support.worlds import a_registered_agent, an_organization


async def test_organization_status_counts_the_admitted_agents() -> None:
    """And nothing becomes due; a settled status is not written again."""
    leader = a_leader()
    created = await leader.cluster.create(ORGANIZATIONS, an_organization())
    leader.cache.organizations.put(created)
    leader.cache.agents.put(a_registered_agent(organization_id="acme"))
    reconciler = OrganizationReconciler(leader.cluster, leader.cache, leader.writer)
    for _ in range(2):
        assert await reconciler.reconcile(created.key) is None
    (stored,) = leader.cluster.all(ORGANIZATIONS)
    assert stored.status.agents == 1
    ready = condition(stored.status.conditions, READY)
    assert ready
    assert ready.status == "True"
    assert leader.cluster.version == 2
