"""The cluster cache: agents by id, credentials by agent, organizations, and revoked tokens.

Reflectors feed one store of each kind; a write of this API is put into its store at once, so that its caller reads it next.
Reads cost a page and never wait. `changes` wakes the requests that wait for an agent or a credential.
"""

from collections.abc import Callable, Collection, Iterable

from agentidp.cache.organizations import OrganizationIndex
from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.cache.store import IndexedStore
from agentidp.domain.identity.clients import ClientOrganization
from agentidp.kube.waiters import Waiters
from management_api.cache.agents import CachedAgent, CachedAgentIndex
from management_api.cache.credentials import CachedCredential, CredentialIndex, Owner, Status


class ClusterCache:
    """A store of each kind. `changes` wakes the requests that wait for an id."""

    def __init__(self) -> None:
        self.changes = Waiters[str]()
        self.agents: IndexedStore[CachedAgent, CachedAgentIndex] = IndexedStore(CachedAgentIndex(), self._agent_changed)
        self.credentials: IndexedStore[CachedCredential, CredentialIndex] = IndexedStore(
            CredentialIndex(), self._credential_changed
        )
        self.organizations: IndexedStore[ClientOrganization, OrganizationIndex] = IndexedStore(OrganizationIndex())
        self.revocations: IndexedStore[RevokedToken, RevocationIndex] = IndexedStore(RevocationIndex())
        self._newest: list[CachedAgent] | None = None
        """All agents, newest first; None after a change."""

    def agent(self, agent_id: str) -> CachedAgent | None:
        """Return the agent that has this id."""
        return self.agents.table.find(agent_id)

    def organization_of(self, agent: CachedAgent) -> ClientOrganization | None:
        """Return the organization that the agent claims, if it exists."""
        return self.organizations.table.find(agent.spec.organization_id)

    def agents_where(
        self, matches: Callable[[CachedAgent], bool], namespaces: Collection[str] | None = None
    ) -> list[CachedAgent]:
        """Return the agents that match, newest first.

        With `namespaces`, only the agents there are visited: a caller's list does not cost what other tenants have.
        """
        if namespaces is not None:
            table = self.agents.table
            return _newest_first(agent for name in namespaces for agent in table.in_namespace(name) if matches(agent))
        if self._newest is None:
            self._newest = _newest_first(self.agents.table)
        return [agent for agent in self._newest if matches(agent)]

    def credential(self, agent: CachedAgent, credential_id: str) -> CachedCredential | None:
        """Return the credential of this id, if it is this agent's."""
        credential = self.credentials.table.get(credential_id)
        return credential if credential and credential.owner == _owner(agent) else None

    def page_of_credentials(
        self, agent: CachedAgent, status: Status | None, skip: int, limit: int
    ) -> tuple[list[CachedCredential], int]:
        """Return a page of the agent's credentials, newest first, and their total. A decommissioned agent has none active."""
        if agent.is_decommissioned:
            if status is Status.ACTIVE:
                return [], 0
            status = None
        table, owner = self.credentials.table, _owner(agent)
        return table.newest(owner, status, skip, limit), table.count(owner, status)

    def objects_in(self, namespace: str) -> int:
        """Return how many agents and credentials are in this namespace, in any state."""
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
