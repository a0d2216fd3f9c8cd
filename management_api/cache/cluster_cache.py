"""All that this API knows: agents by id, credentials by agent, organizations, and revoked tokens."""

from collections.abc import Callable, Collection, Iterable

from agentidp.cache.organizations import OrganizationIndex
from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.cache.store import IndexedStore
from agentidp.domain.identity.clients import ClientOrganization
from agentidp.kube.waiters import Waiters
from management_api.cache.agents import CachedAgent, CachedAgentIndex
from management_api.cache.credentials import CachedCredential, CredentialTable, Owner, Status


class ClusterCache:
    """Tables with a feed each. `changes` wakes who waits for an agent or a credential, by its id."""

    def __init__(self) -> None:
        self.changes = Waiters[str]()
        self.agents: IndexedStore[CachedAgent, CachedAgentIndex] = IndexedStore(CachedAgentIndex(), self._agent_changed)
        self.credentials: IndexedStore[CachedCredential, CredentialTable] = IndexedStore(
            CredentialTable(), self._credential_changed
        )
        self.organizations: IndexedStore[ClientOrganization, OrganizationIndex] = IndexedStore(OrganizationIndex())
        self.revocations: IndexedStore[RevokedToken, RevocationIndex] = IndexedStore(RevocationIndex())
        self._newest: list[CachedAgent] | None = None

    def agent(self, agent_id: str) -> CachedAgent | None:
        """The agent whose id this is."""
        return self.agents.table.find(agent_id)

    def organization_of(self, agent: CachedAgent) -> ClientOrganization | None:
        """The organization that an agent claims, if it exists."""
        return self.organizations.table.find(agent.spec.organization_id)

    def agents_where(self, fits: Callable[[CachedAgent], bool], namespaces: Collection[str] | None = None) -> list[CachedAgent]:
        """Newest first. Only those of these namespaces are looked at, where some are named: others' cost nobody anything."""
        if namespaces is not None:
            table = self.agents.table
            return _newest_first(agent for one in namespaces for agent in table.in_namespace(one) if fits(agent))
        if self._newest is None:
            self._newest = _newest_first(self.agents.table)
        return [agent for agent in self._newest if fits(agent)]

    def credential(self, agent: CachedAgent, credential_id: str) -> CachedCredential | None:
        """A credential of this agent."""
        found = self.credentials.table.get(credential_id)
        return found if found and found.owner == _owner(agent) else None

    def page_of_credentials(
        self, agent: CachedAgent, status: Status | None, skip: int, limit: int
    ) -> tuple[list[CachedCredential], int]:
        """A page of them, newest first, and how many there are in all. A decommissioned agent has none that is active."""
        if agent.is_decommissioned:
            if status is Status.ACTIVE:
                return [], 0
            status = None
        table, owner = self.credentials.table, _owner(agent)
        return table.newest(owner, status, skip, limit), table.count(owner, status)

    def objects_in(self, namespace: str) -> int:
        """How many agents and credentials are in this namespace, in any state."""
        return self.agents.table.count_in(namespace) + self.credentials.table.count_in(namespace)

    def _agent_changed(self, agent: CachedAgent) -> None:
        self._newest = None
        self.changes.notify(agent.agent_id)

    def _credential_changed(self, credential: CachedCredential) -> None:
        self.changes.notify(credential.credential_id)


def _newest_first(agents: Iterable[CachedAgent]) -> list[CachedAgent]:
    return sorted(agents, key=lambda agent: (agent.created, agent.agent_id), reverse=True)


def _owner(agent: CachedAgent) -> Owner:
    return agent.namespace, agent.name, agent.agent_id
