"""Agents in the cluster cache: what is kept of one, and the index of all."""

from datetime import datetime

from msgspec import Struct

from agentidp.cache.agents import AgentIndex
from agentidp.domain.identity.clients import ClientAgent, client_agent
from agentidp.domain.resources import Agent, AgentSpec, AgentState, ObjectMeta
from agentidp.kube.kinds import AGENTS, Kind, Projection
from management_api.cache.metadata import GENERATED_BY, NEVER, parse_timestamp


class ManagedFields(Struct, frozen=True, rename="camel"):
    """One writer's entry in `metadata.managedFields`; the writer says the time itself."""

    time: str | None = None
    subresource: str = ""


class MetaWithManagedFields(ObjectMeta, frozen=True, kw_only=True):
    """Metadata that tell when the spec was last written."""

    managed_fields: tuple[ManagedFields, ...] = ()


class AgentWithManagedFields(Agent, frozen=True, kw_only=True):
    """An agent for reading only: writing it back would claim the fields of others."""

    metadata: MetaWithManagedFields = MetaWithManagedFields()


class CachedAgent(Struct, frozen=True, gc=False):
    """What is kept of an agent."""

    client: ClientAgent
    spec: AgentSpec
    created: datetime
    updated: datetime
    version: int
    is_generated: bool
    """This API registered the agent."""

    @property
    def agent_id(self) -> str:
        """Return the agent's id; "" while it has none."""
        return self.client.agent_id

    @property
    def namespace(self) -> str:
        """Return the namespace of the resource."""
        return self.client.namespace

    @property
    def name(self) -> str:
        """Return the name of the resource."""
        return self.client.name

    @property
    def precedence(self) -> tuple[float, str]:
        """Return the order of agents that carry one id: the lowest has it."""
        return self.client.precedence

    @property
    def is_decommissioned(self) -> bool:
        """Return whether the agent has ended for good."""
        return self.spec.state is AgentState.DECOMMISSIONED


def cached_agent(agent: AgentWithManagedFields) -> CachedAgent:
    """Return what is kept of an agent. It was updated when a writer last changed anything but the status."""
    meta = agent.metadata
    created = meta.creation_timestamp or NEVER
    written = (parse_timestamp(entry.time) for entry in meta.managed_fields if not entry.subresource)
    return CachedAgent(
        client=client_agent(agent),
        spec=agent.spec,
        created=created,
        updated=max((time for time in written if time), default=created),
        version=int(meta.resource_version or 0),
        is_generated=GENERATED_BY in meta.annotations,
    )


class CachedAgentIndex(AgentIndex[CachedAgent]):
    """Agents by id and by name. An older version never replaces a newer one: the answer to a write may come after the watch.

    Agents without an id are counted, too: they are objects like others.
    """

    def __init__(self) -> None:
        super().__init__()
        self._without_id: dict[str, dict[str, CachedAgent]] = {}
        """By namespace and name."""

    def count_in(self, namespace: str) -> int:
        """Return how many agents are in this namespace."""
        return len(self._by_name.get(namespace, ())) + len(self._without_id.get(namespace, ()))

    def put(self, agent: CachedAgent) -> None:
        """Add the agent, or replace an older version of it."""
        previous = self.get(self.key(agent))
        if previous is not None and previous.version > agent.version:
            return
        super().put(agent)
        if not agent.agent_id:
            self._without_id.setdefault(agent.namespace, {})[agent.name] = agent

    def remove(self, agent: CachedAgent) -> None:
        """Remove the agent of this name, if there is one."""
        super().remove(agent)
        of_namespace = self._without_id.get(agent.namespace, {})
        of_namespace.pop(agent.name, None)
        if not of_namespace:
            self._without_id.pop(agent.namespace, None)

    def get(self, key: tuple[str, str]) -> CachedAgent | None:
        """Return the agent of this namespace and name."""
        namespace, name = key
        return super().get(key) or self._without_id.get(namespace, {}).get(name)

    def by_key(self) -> dict[tuple[str, str], CachedAgent]:
        """Return all agents by namespace and name."""
        namespaces = self._without_id.items()
        without_id = {(namespace, name): agent for namespace, agents in namespaces for name, agent in agents.items()}
        return super().by_key() | without_id


AGENTS_WITH_MANAGED_FIELDS: Kind[AgentWithManagedFields] = Kind(
    AGENTS.group, AGENTS.version, AGENTS.plural, AGENTS.name, AgentWithManagedFields
)
CACHED_AGENTS = Projection(AGENTS_WITH_MANAGED_FIELDS, cached_agent)
