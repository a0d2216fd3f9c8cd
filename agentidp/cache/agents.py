"""Agents by id, and by namespace and name. Of two agents with one id (a restored backup, a status by hand) the older has it."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from agentidp.domain.resources import ObjectRef


class AgentEntry(Protocol):
    """An agent in the index: its id ("" while it has none), its namespace and name, and its precedence for its id."""

    @property
    def agent_id(self) -> str: ...  # noqa: D102 the docstring of the class names them

    @property
    def namespace(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def precedence(self) -> tuple[float, str]: ...  # noqa: D102


AgentT = TypeVar("AgentT", bound=AgentEntry)


class AgentIndex(Generic[AgentT]):
    """The agents of a cluster that have an id."""

    def __init__(self) -> None:
        self._by_id: dict[str, AgentT] = {}
        self._by_name: dict[str, dict[str, AgentT]] = {}
        self._rivals: dict[str, list[AgentT]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[AgentT]:
        return iter(self._by_id.values())

    def in_namespace(self, namespace: str) -> Iterator[AgentT]:
        """The agents of this namespace that have their id, and no older agent has it."""
        named = self._by_name.get(namespace, {}).values()
        return (agent for agent in named if self._by_id.get(agent.agent_id) is agent)

    def find(self, client_id: str) -> AgentT | None:
        """The agent that has this id."""
        return self._by_id.get(client_id)

    def put(self, agent: AgentT) -> None:
        """Add the agent, or replace the one of its namespace and name."""
        self.remove(agent)
        if agent.agent_id:
            self._by_name.setdefault(agent.namespace, {})[agent.name] = agent
            self._claim(agent)

    def remove(self, agent: AgentT) -> None:
        """Remove the agent of this agent's namespace and name."""
        of_namespace = self._by_name.get(agent.namespace, {})
        former = of_namespace.pop(agent.name, None)
        if former:
            self._release(former)
        if not of_namespace:
            self._by_name.pop(agent.namespace, None)

    def key(self, agent: AgentT) -> tuple[str, str]:
        """The namespace and the name of the agent."""
        return agent.namespace, agent.name

    def by_key(self) -> dict[tuple[str, str], AgentT]:
        """All agents by namespace and name."""
        named = self._by_name.items()
        return {(namespace, name): agent for namespace, agents in named for name, agent in agents.items()}

    def key_of(self, reference: ObjectRef) -> tuple[str, str]:
        """The namespace and the name of an Agent."""
        return reference.namespace, reference.name

    def get(self, key: tuple[str, str]) -> AgentT | None:
        """The agent of this namespace and name, if it has an id."""
        return self.named(*key)

    def named(self, namespace: str, name: str) -> AgentT | None:
        """The agent of this name, if it has an id."""
        return self._by_name.get(namespace, {}).get(name)

    def _claim(self, agent: AgentT) -> None:
        holder = self._by_id.get(agent.agent_id)
        if holder is None:
            self._by_id[agent.agent_id] = agent
        else:
            self._rivals.setdefault(agent.agent_id, [holder]).append(agent)
            self._elect(agent.agent_id)

    def _release(self, agent: AgentT) -> None:
        rivals = self._rivals.get(agent.agent_id)
        if rivals is None:
            del self._by_id[agent.agent_id]
        else:
            rivals.remove(agent)
            self._elect(agent.agent_id)

    def _elect(self, agent_id: str) -> None:
        rivals = self._rivals[agent_id]
        self._by_id[agent_id] = min(rivals, key=lambda agent: agent.precedence)
        if len(rivals) == 1:
            del self._rivals[agent_id]
