"""Organizations by their name, which is their id."""

from collections.abc import Iterator, Mapping

from agentidp.domain.identity.clients import ClientOrganization, client_organization
from agentidp.domain.resources import ObjectRef
from agentidp.kube.kinds import ORGANIZATIONS, Projection

CLIENT_ORGANIZATIONS = Projection(ORGANIZATIONS, client_organization)


class OrganizationIndex:
    """The organizations of a cluster."""

    def __init__(self) -> None:
        self._by_id: dict[str, ClientOrganization] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ClientOrganization]:
        return iter(self._by_id.values())

    def find(self, organization_id: str | None) -> ClientOrganization | None:
        """The organization of this id."""
        return self._by_id.get(organization_id) if organization_id else None

    def put(self, organization: ClientOrganization) -> None:
        """Add the organization, or put it in the place of what it was before."""
        self._by_id[organization.organization_id] = organization

    def remove(self, organization: ClientOrganization) -> None:
        """The organization of this name goes."""
        self._by_id.pop(organization.organization_id, None)

    def key(self, organization: ClientOrganization) -> str:
        """Its name."""
        return organization.organization_id

    def by_key(self) -> Mapping[str, ClientOrganization]:
        """All of them."""
        return self._by_id

    def key_of(self, identity: ObjectRef) -> str:
        """The same of an object, which is named by it."""
        return identity.name

    def get(self, name: str) -> ClientOrganization | None:
        """The organization of this name."""
        return self._by_id.get(name)
