"""The reconciler of organizations: the status has the number of admitted agents."""

from agent_operator.reconcilers.organization import OrganizationReconciler
from agentidp.domain.resources import NamespacedName, OrganizationSpec
from agentidp.domain.resources.conditions import is_ready
from agentidp.kube.kinds import ORGANIZATIONS
from tests.support.fenced_writers import WriterOfAModel
from tests.support.worlds import a_registered_agent, an_organization


def reconciler(cache: WriterOfAModel) -> OrganizationReconciler:
    """The reconciler on the model."""
    return OrganizationReconciler(cache.cluster, cache.cache, cache.writer)


async def test_organization_status_counts_admitted_agents_and_is_written_once() -> None:
    """A second reconciliation of the same state writes nothing."""
    cache = WriterOfAModel()
    organization = await cache.model.create(ORGANIZATIONS, an_organization())
    cache.cache.organizations.put(organization)
    cache.cache.agents.put(a_registered_agent(organization_id=organization.metadata.name))
    assert await reconciler(cache).reconcile(organization.key) is None
    (written,) = cache.model.all(ORGANIZATIONS)
    assert written.status.agents == 1
    assert is_ready(written.status.conditions)
    await reconciler(cache).reconcile(organization.key)
    assert cache.model.all(ORGANIZATIONS) == [written]


async def test_organization_that_has_changed_is_read_again() -> None:
    """After a Conflict the cache has the present version, which is reconciled next."""
    cache = WriterOfAModel()
    organization = await cache.model.create(ORGANIZATIONS, an_organization())
    cache.cache.organizations.put(organization)
    changed = cache.model.change(ORGANIZATIONS, organization.key, spec=OrganizationSpec(namespaces=("other",)))
    await reconciler(cache).reconcile(organization.key)
    assert cache.cache.organizations.get(organization.key) == changed


async def test_organization_that_is_gone_needs_no_status() -> None:
    """Its request may still be in the work queue."""
    assert await reconciler(WriterOfAModel()).reconcile(NamespacedName("", "gone")) is None
