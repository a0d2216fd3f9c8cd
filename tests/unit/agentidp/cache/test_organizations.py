"""Organization index: by name, which is the id."""

from agentidp.cache.organizations import CLIENT_ORGANIZATIONS, OrganizationIndex
from agentidp.domain.resources import ObjectRef
from tests.support.worlds import an_organization


def test_organization_index_has_organizations_by_name() -> None:
    """An agent without an organization finds none."""
    index = OrganizationIndex()
    organization = CLIENT_ORGANIZATIONS.keep(an_organization())
    index.put(organization)
    assert index.find(organization.organization_id) is organization
    assert index.find(None) is None
    assert index.find("another") is None
    assert index.get(index.key_of(ObjectRef(name=organization.organization_id))) is organization
    index.remove(organization)
    assert len(index) == 0
