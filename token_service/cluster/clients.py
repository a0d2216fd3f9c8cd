"""The index: a client's agent, its organization and its credentials, joined when they are looked up."""

from agentidp.cache.organizations import OrganizationIndex
from agentidp.cache.store import IndexedStore
from agentidp.domain.identity.clients import Client, ClientAgent, ClientCredential, ClientOrganization
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.waiters import Waiters
from token_service.cluster.credentials import CredentialIndex
from token_service.cluster.workloads import AgentIndexByWorkload


class ClientIndex:
    """Three tables with a feed each. What was looked up is a value: it does not change under its reader."""

    def __init__(self) -> None:
        self.changes = Waiters[str]()
        self.agents: IndexedStore[ClientAgent, AgentIndexByWorkload] = IndexedStore(AgentIndexByWorkload(), self._agent_changed)
        self.credentials: IndexedStore[ClientCredential, CredentialIndex] = IndexedStore(
            CredentialIndex(), self._credential_changed
        )
        self.organizations: IndexedStore[ClientOrganization, OrganizationIndex] = IndexedStore(
            OrganizationIndex(), self._organization_changed
        )

    def agent(self, client_id: str) -> ClientAgent | None:
        """The agent whose id this is."""
        return self.agents.table.find(client_id)

    def client(self, client_id: str) -> Client | None:
        """All of a client that decides, as one value: it differs as soon as anything of it does."""
        agent = self.agent(client_id)
        return Client(agent, tuple(self.credentials_of(agent)), self.organization(agent)) if agent else None

    def agents_of(self, workload: Workload) -> list[ClientAgent]:
        """The agents that this workload may be."""
        return self.agents.table.of_workload(workload)

    def organization(self, agent: ClientAgent) -> ClientOrganization | None:
        """The organization that an agent claims, if it exists."""
        return self.organizations.table.find(agent.organization_id)

    def credential(self, agent: ClientAgent, credential_id: str) -> ClientCredential | None:
        """One credential of an agent."""
        return self.credentials.table.find(credential_id, agent)

    def credentials_of(self, agent: ClientAgent) -> list[ClientCredential]:
        """The credentials of an agent that have a hash: only their secrets may be accepted."""
        return self.credentials.table.of(agent)

    def _agent_changed(self, agent: ClientAgent) -> None:
        self.changes.notify(agent.agent_id)

    def _organization_changed(self, _: ClientOrganization) -> None:
        self.changes.notify_where()

    def _credential_changed(self, credential: ClientCredential) -> None:
        if credential.client_id:
            self.changes.notify(credential.client_id)
