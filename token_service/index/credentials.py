"""Credentials, by their own id and by the agent that they name."""

from collections.abc import Iterator

from agentidp.domain.clients import ClientAgent, ClientCredential


class CredentialTable:
    """The credentials of a cluster."""

    def __init__(self) -> None:
        self._by_id: dict[str, ClientCredential] = {}
        self._of_agents: dict[str, dict[str, str | list[str]]] = {}
        """Ids by namespace and agent's name; most agents have one credential, and that needs no list."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ClientCredential]:
        return iter(self._by_id.values())

    def find(self, credential_id: str, agent: ClientAgent) -> ClientCredential | None:
        """The credential of this id, if it names this agent."""
        found = self._by_id.get(credential_id)
        return found if found and found.agent_name == agent.name and found.namespace == agent.namespace else None

    def of(self, agent: ClientAgent) -> list[ClientCredential]:
        """All that name this agent."""
        ids = self._of_agents.get(agent.namespace, {}).get(agent.name, [])
        return [self._by_id[one] for one in ([ids] if isinstance(ids, str) else ids)]

    def put(self, credential: ClientCredential) -> None:
        """Add the credential, or put it in the place of what it was before; the agent that it names never changes."""
        if credential.credential_id not in self._by_id:
            self._add(credential)
        self._by_id[credential.credential_id] = credential

    def remove(self, credential: ClientCredential) -> None:
        """The credential of this id goes."""
        known = self._by_id.pop(credential.credential_id, None)
        if known is not None:
            self._drop(known)

    def same(self, credential: ClientCredential) -> ClientCredential:
        """The equal value that is here already, if there is one: so a new list costs no memory for what has not changed."""
        known = self._by_id.get(credential.credential_id)
        return known if known == credential and known is not None else credential

    def _add(self, credential: ClientCredential) -> None:
        of_namespace = self._of_agents.setdefault(credential.namespace, {})
        match of_namespace.get(credential.agent_name):
            case None:
                of_namespace[credential.agent_name] = credential.credential_id
            case str() as other:
                of_namespace[credential.agent_name] = [other, credential.credential_id]
            case list() as others:
                others.append(credential.credential_id)

    def _drop(self, credential: ClientCredential) -> None:
        of_namespace = self._of_agents[credential.namespace]
        ids = of_namespace[credential.agent_name]
        if isinstance(ids, list):
            ids.remove(credential.credential_id)
        if isinstance(ids, str) or not ids:
            del of_namespace[credential.agent_name]
        if not of_namespace:
            del self._of_agents[credential.namespace]
