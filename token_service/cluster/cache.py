"""The cluster cache: everything that this replica has from its watches, from which every answer comes.

Reflectors feed it. A client is joined from its agent, its organization and its credentials when it is looked up; the result is
a value that does not change under its reader.
"""

from collections.abc import Iterator, Mapping, Sequence

from agentidp.cache.agents import AgentIndex
from agentidp.cache.organizations import OrganizationIndex
from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.cache.store import IndexedStore
from agentidp.domain.identity.clients import Client, ClientAgent, ClientCredential, ClientOrganization
from agentidp.domain.resources import ObjectRef
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.waiters import Waiters
from token_service.cluster.signing_keys import SigningKeys


class CredentialIndex:
    """Index of credentials, by id and by agent. An agent may have any number of revoked ones, which have no hash."""

    def __init__(self) -> None:
        self._by_id: dict[str, ClientCredential] = {}
        self._with_hashes, self._without_hashes = CredentialIdsByAgent(), CredentialIdsByAgent()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ClientCredential]:
        return iter(self._by_id.values())

    def get(self, credential_id: str) -> ClientCredential | None:
        """The credential of this id, whichever agent it names."""
        return self._by_id.get(credential_id)

    def has(self, credential_id: str, hashed: str) -> bool:
        """Whether this hash may accept for the credential of this id."""
        credential = self._by_id.get(credential_id)
        return credential is not None and any(entry.hash == hashed for entry in credential.hashes)

    def find(self, credential_id: str, agent: ClientAgent) -> ClientCredential | None:
        """The credential of this id, if it names this agent."""
        credential = self._by_id.get(credential_id)
        if credential and credential.agent_name == agent.name and credential.namespace == agent.namespace:
            return credential
        return None

    def of(self, agent: ClientAgent) -> list[ClientCredential]:
        """The credentials that name this agent and have a hash."""
        return [self._by_id[credential_id] for credential_id in self._with_hashes.ids(agent)]

    def latest_without_hash(self, agent: ClientAgent) -> ClientCredential | None:
        """Of the credentials that name this agent and have no hash, the one that lost its hash last."""
        ids = self._without_hashes.ids(agent)
        return self._by_id[ids[-1]] if ids else None

    def put(self, credential: ClientCredential) -> None:
        """Add or replace the credential; the agent that it names never changes."""
        former = self._by_id.get(credential.credential_id)
        if former is None or bool(former.hashes) != bool(credential.hashes):
            self.remove(credential)
            self._ids(credential).add(credential)
        self._by_id[credential.credential_id] = credential

    def remove(self, credential: ClientCredential) -> None:
        """Remove the credential of this id."""
        former = self._by_id.pop(credential.credential_id, None)
        if former:
            self._ids(former).remove(former)

    def key(self, credential: ClientCredential) -> str:
        """The key of a credential: its id."""
        return credential.credential_id

    def by_key(self) -> Mapping[str, ClientCredential]:
        """All credentials by their key."""
        return self._by_id

    def key_of(self, identity: ObjectRef) -> str:
        """The key of an object: its uid, which is the credential's id."""
        return identity.uid

    def _ids(self, credential: ClientCredential) -> "CredentialIdsByAgent":
        return self._with_hashes if credential.hashes else self._without_hashes


class CredentialIdsByAgent:
    """Ids of credentials by the namespace and the name of their agent, in the order in which they were added."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, list[str]]] = {}

    def ids(self, agent: ClientAgent) -> Sequence[str]:
        """The ids of the credentials that name this agent."""
        return self._ids.get(agent.namespace, {}).get(agent.name, ())

    def add(self, credential: ClientCredential) -> None:
        """Add the id of a credential."""
        self._ids.setdefault(credential.namespace, {}).setdefault(credential.agent_name, []).append(credential.credential_id)

    def remove(self, credential: ClientCredential) -> None:
        """Remove the id of a credential that was added."""
        of_namespace = self._ids[credential.namespace]
        of_namespace[credential.agent_name].remove(credential.credential_id)
        if not of_namespace[credential.agent_name]:
            del of_namespace[credential.agent_name]
        if not of_namespace:
            del self._ids[credential.namespace]


class AgentIndexByWorkload(AgentIndex[ClientAgent]):
    """Index of agents, by id and by workload. Agents that name no workload, which most do, take no more memory."""

    def __init__(self) -> None:
        super().__init__()
        self._by_workload: dict[Workload, dict[str, ClientAgent]] = {}

    def of_workload(self, workload: Workload) -> list[ClientAgent]:
        """The agents of the workload's namespace that name its ServiceAccount, and to which their id belongs."""
        agents = self._by_workload.get(workload, {}).values()
        return [agent for agent in agents if self.find(agent.agent_id) is agent]

    def put(self, agent: ClientAgent) -> None:
        """Add or replace the agent of this name."""
        super().put(agent)
        for workload in _workloads(agent) if agent.agent_id else ():
            self._by_workload.setdefault(workload, {})[agent.name] = agent

    def remove(self, agent: ClientAgent) -> None:
        """Remove the agent of this name."""
        former = self._by_name.get(agent.namespace, {}).get(agent.name)
        super().remove(agent)
        for workload in _workloads(former) if former else ():
            agents = self._by_workload[workload]
            del agents[agent.name]
            if not agents:
                del self._by_workload[workload]


def _workloads(agent: ClientAgent) -> set[Workload]:
    return {Workload(agent.namespace, name) for name in agent.workloads}


class ClientIndex:
    """Agents, credentials and organizations, each fed by a reflector, and who waits for a change of a client."""

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
        """The agent to which this id belongs."""
        return self.agents.table.find(client_id)

    def client(self, client_id: str) -> Client | None:
        """Everything that decides about a client, as one value: it differs as soon as any part of it does."""
        agent = self.agent(client_id)
        return Client(agent, tuple(self.credentials_of(agent)), self.organization(agent)) if agent else None

    def agents_of(self, workload: Workload) -> list[ClientAgent]:
        """The agents that name this workload."""
        return self.agents.table.of_workload(workload)

    def organization(self, agent: ClientAgent) -> ClientOrganization | None:
        """The organization that an agent claims, if it exists."""
        return self.organizations.table.find(agent.organization_id)

    def credential(self, agent: ClientAgent, credential_id: str) -> ClientCredential | None:
        """The credential of this id, if it names the agent."""
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


class ClusterCache:
    """Clients, signing keys and revoked tokens of the cluster."""

    def __init__(self) -> None:
        self.clients = ClientIndex()
        self.keys = SigningKeys()
        self.revocations: IndexedStore[RevokedToken, RevocationIndex] = IndexedStore(RevocationIndex())
