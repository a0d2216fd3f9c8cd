"""Organizations by name, which is the id of an organization."""

from agentidp.cache.store import KeyedIndex
from agentidp.domain.identity.clients import ClientOrganization, client_organization
from agentidp.domain.resources import ObjectRef
from agentidp.kube.kinds import ORGANIZATIONS, Projection

CLIENT_ORGANIZATIONS = Projection(ORGANIZATIONS, client_organization)


class OrganizationIndex(KeyedIndex[str, ClientOrganization]):
    """The organizations of a cluster."""

    def find(self, organization_id: str | None) -> ClientOrganization | None:
        """The organization of this id, if there is an id."""
        return self._items.get(organization_id) if organization_id else None

    def key(self, organization: ClientOrganization, /) -> str:
        """The id of the organization."""
        return organization.organization_id

    def key_of(self, reference: ObjectRef) -> str:
        """The id of an Organization: its name."""
        return reference.name
