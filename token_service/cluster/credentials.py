"""Credentials, by their own id and by the agent that they name."""

from collections.abc import Iterator, Mapping, Sequence

from agentidp.domain.identity.clients import ClientAgent, ClientCredential
from agentidp.domain.resources import ObjectRef


class CredentialIndex:
    """The credentials of a cluster. Of those that have no hash, and so no secret, an agent may have any number."""

    def __init__(self) -> None:
        self._by_id: dict[str, ClientCredential] = {}
        self._with_hashes, self._without = OfAgents(), OfAgents()

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
        """All that name this agent and have a hash."""
        return [self._by_id[one] for one in self._with_hashes.ids(agent)]

    def latest_without_hash(self, agent: ClientAgent) -> ClientCredential | None:
        """Of those that name this agent and have no hash, the one of which that was told last."""
        ids = self._without.ids(agent)
        return self._by_id[ids[-1]] if ids else None

    def put(self, credential: ClientCredential) -> None:
        """Add the credential, or put it in the place of what it was before; the agent that it names never changes."""
        known = self._by_id.get(credential.credential_id)
        if known is None or bool(known.hashes) != bool(credential.hashes):
            self.remove(credential)
            self._beside(credential).add(credential)
        self._by_id[credential.credential_id] = credential

    def remove(self, credential: ClientCredential) -> None:
        """The credential of this id goes."""
        known = self._by_id.pop(credential.credential_id, None)
        if known:
            self._beside(known).remove(known)

    def key(self, credential: ClientCredential) -> str:
        """Its id."""
        return credential.credential_id

    def by_key(self) -> Mapping[str, ClientCredential]:
        """All of them."""
        return self._by_id

    def key_of(self, identity: ObjectRef) -> str:
        """The same of an object: its uid."""
        return identity.uid

    def _beside(self, credential: ClientCredential) -> "OfAgents":
        return self._with_hashes if credential.hashes else self._without


class OfAgents:
    """Ids of credentials, by the namespace and the name of the agent, in the order in which they came."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, list[str]]] = {}

    def ids(self, agent: ClientAgent) -> Sequence[str]:
        """Of the credentials that name this agent."""
        return self._ids.get(agent.namespace, {}).get(agent.name, ())

    def add(self, credential: ClientCredential) -> None:
        """One more."""
        self._ids.setdefault(credential.namespace, {}).setdefault(credential.agent_name, []).append(credential.credential_id)

    def remove(self, credential: ClientCredential) -> None:
        """One that is there goes."""
        of_namespace = self._ids[credential.namespace]
        of_namespace[credential.agent_name].remove(credential.credential_id)
        if not of_namespace[credential.agent_name]:
            del of_namespace[credential.agent_name]
        if not of_namespace:
            del self._ids[credential.namespace]
