"""All that this API knows: agents by id, credentials by agent, organizations, and revoked tokens."""

from collections.abc import Callable, Collection, Iterable

from agentidp.cache.organizations import OrganizationTable
from agentidp.cache.revocations import RevocationTable, RevokedToken
from agentidp.cache.store import Feed
from agentidp.cache.waiters import Changes
from agentidp.domain.clients import ClientOrganization
from management_api.cache.agents import RegisteredAgent, RegisteredAgentTable
from management_api.cache.credentials import CredentialTable, Owner, RegisteredCredential, Status


class Registry:
    """Tables with a feed each. `changes` wakes who waits for an agent or a credential, by its id."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.agents: Feed[RegisteredAgent, RegisteredAgentTable] = Feed(RegisteredAgentTable(), self._agent_changed)
        self.credentials: Feed[RegisteredCredential, CredentialTable] = Feed(CredentialTable(), self._credential_changed)
        self.organizations: Feed[ClientOrganization, OrganizationTable] = Feed(OrganizationTable())
        self.revocations: Feed[RevokedToken, RevocationTable] = Feed(RevocationTable())
        self._newest: list[RegisteredAgent] | None = None

    def agent(self, agent_id: str) -> RegisteredAgent | None:
        """The agent whose id this is."""
        return self.agents.table.find(agent_id)

    def organization_of(self, agent: RegisteredAgent) -> ClientOrganization | None:
        """The organization that an agent claims, if it exists."""
        return self.organizations.table.find(agent.spec.organization_id)

    def agents_where(
        self, fits: Callable[[RegisteredAgent], bool], namespaces: Collection[str] | None = None
    ) -> list[RegisteredAgent]:
        """Newest first. Only those of these namespaces are looked at, where some are named: others' cost nobody anything."""
        if namespaces is not None:
            table = self.agents.table
            return _newest_first(agent for one in namespaces for agent in table.in_namespace(one) if fits(agent))
        if self._newest is None:
            self._newest = _newest_first(self.agents.table)
        return [agent for agent in self._newest if fits(agent)]

    def credential(self, agent: RegisteredAgent, credential_id: str) -> RegisteredCredential | None:
        """A credential of this agent."""
        found = self.credentials.table.get(credential_id)
        return found if found and found.owner == _owner(agent) else None

    def page_of_credentials(
        self, agent: RegisteredAgent, status: Status | None, skip: int, limit: int
    ) -> tuple[list[RegisteredCredential], int]:
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

    def _agent_changed(self, agent: RegisteredAgent) -> None:
        self._newest = None
        self.changes.wake(agent.agent_id)

    def _credential_changed(self, credential: RegisteredCredential) -> None:
        self.changes.wake(credential.credential_id)


def _newest_first(agents: Iterable[RegisteredAgent]) -> list[RegisteredAgent]:
    return sorted(agents, key=lambda agent: (agent.created, agent.agent_id), reverse=True)


def _owner(agent: RegisteredAgent) -> Owner:
    return agent.namespace, agent.name, agent.agent_id
