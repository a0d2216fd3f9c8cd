"""Organizations by their name, which is their id. There are few of them, so they are kept whole."""

from collections.abc import Iterator, Mapping

from agentidp.domain.resources import Identity, Organization


class OrganizationTable:
    """The organizations of a cluster."""

    def __init__(self) -> None:
        self._by_id: dict[str, Organization] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Organization]:
        return iter(self._by_id.values())

    def find(self, organization_id: str | None) -> Organization | None:
        """The organization of this id."""
        return self._by_id.get(organization_id) if organization_id else None

    def put(self, organization: Organization) -> None:
        """Add the organization, or put it in the place of what it was before."""
        self._by_id[organization.metadata.name] = organization

    def remove(self, organization: Organization) -> None:
        """The organization of this name goes."""
        self._by_id.pop(organization.metadata.name, None)

    def key(self, organization: Organization) -> str:
        """Its name."""
        return organization.metadata.name

    def by_key(self) -> Mapping[str, Organization]:
        """All of them."""
        return self._by_id

    def key_of(self, identity: Identity) -> str:
        """The same of an object."""
        return identity.name

    def get(self, name: str) -> Organization | None:
        """The organization of this name."""
        return self._by_id.get(name)
