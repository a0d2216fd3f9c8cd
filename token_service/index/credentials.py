"""Credentials, by their own id and by the agent that they name."""

from collections.abc import Iterator, Mapping

from agentidp.domain.clients import ClientAgent, ClientCredential
from agentidp.domain.resources import Identity


class CredentialTable:
    """The credentials of a cluster."""

    def __init__(self) -> None:
        self._by_id: dict[str, ClientCredential] = {}
        self._of_agents: dict[str, dict[str, list[str]]] = {}
        """Ids by namespace and agent's name."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ClientCredential]:
        return iter(self._by_id.values())

    def get(self, credential_id: str) -> ClientCredential | None:
        """The credential of this id, whichever agent it names."""
        return self._by_id.get(credential_id)

    def has(self, credential_id: str, hashed: str) -> bool:
        """Whether this hash may accept for the credential of this id."""
        known = self._by_id.get(credential_id)
        return known is not None and any(one.hash == hashed for one in known.hashes)

    def find(self, credential_id: str, agent: ClientAgent) -> ClientCredential | None:
        """The credential of this id, if it names this agent."""
        found = self._by_id.get(credential_id)
        return found if found and found.agent_name == agent.name and found.namespace == agent.namespace else None

    def of(self, agent: ClientAgent) -> list[ClientCredential]:
        """All that name this agent."""
        ids = self._of_agents.get(agent.namespace, {}).get(agent.name, ())
        return [self._by_id[one] for one in ids]

    def put(self, credential: ClientCredential) -> None:
        """Add the credential, or put it in the place of what it was before; the agent that it names never changes."""
        if credential.credential_id not in self._by_id:
            of_namespace = self._of_agents.setdefault(credential.namespace, {})
            of_namespace.setdefault(credential.agent_name, []).append(credential.credential_id)
        self._by_id[credential.credential_id] = credential

    def remove(self, credential: ClientCredential) -> None:
        """The credential of this id goes."""
        known = self._by_id.pop(credential.credential_id, None)
        if known is None:
            return
        of_namespace = self._of_agents[known.namespace]
        of_namespace[known.agent_name].remove(known.credential_id)
        if not of_namespace[known.agent_name]:
            del of_namespace[known.agent_name]
        if not of_namespace:
            del self._of_agents[known.namespace]

    def key(self, credential: ClientCredential) -> str:
        """Its id."""
        return credential.credential_id

    def by_key(self) -> Mapping[str, ClientCredential]:
        """All of them."""
        return self._by_id

    def key_of(self, identity: Identity) -> str:
        """The same of an object: its uid."""
        return identity.uid
