"""An agent as the registry keeps it: its facts, and what decides about its tokens."""

from datetime import datetime

from msgspec import Struct

from agentidp.cache.agents import AgentIndex
from agentidp.domain.identity.clients import ClientAgent, client_agent
from agentidp.domain.resources import Agent, AgentSpec, AgentState, ObjectMeta
from agentidp.kube.kinds import AGENTS, Kind, Projection
from management_api.cache.annotations import GENERATED
from management_api.cache.timestamps import moment_in


class ManagedFields(Struct, frozen=True, rename="camel"):
    """Who wrote a part of an object, and when; by what they say."""

    time: str | None = None
    subresource: str = ""


class MetaWithManagedFields(ObjectMeta, frozen=True, kw_only=True):
    """Metadata that tell when the spec was last written."""

    managed_fields: tuple[ManagedFields, ...] = ()


class AgentWithManagedFields(Agent, frozen=True, kw_only=True):
    """For reading only: what is written back would claim others' fields."""

    metadata: MetaWithManagedFields = MetaWithManagedFields()


class CachedAgent(Struct, frozen=True, gc=False):
    """An agent with its id."""

    client: ClientAgent
    spec: AgentSpec
    created: datetime
    updated: datetime
    version: int
    is_generated: bool
    """It was registered by this API."""

    @property
    def agent_id(self) -> str:
        """Its id; "" while it has none."""
        return self.client.agent_id

    @property
    def namespace(self) -> str:
        """Where it is."""
        return self.client.namespace

    @property
    def name(self) -> str:
        """Of the resource."""
        return self.client.name

    @property
    def precedence(self) -> tuple[float, str]:
        """Of two that carry one id, the one with the lower value has it."""
        return self.client.precedence

    @property
    def is_decommissioned(self) -> bool:
        """For ever."""
        return self.spec.state is AgentState.DECOMMISSIONED


def registered(agent: AgentWithManagedFields) -> CachedAgent:
    """What is kept of an agent."""
    meta = agent.metadata
    created = meta.creation_timestamp or datetime.fromisoformat("1970-01-01T00:00:00Z")
    written = (moment for one in meta.managed_fields if not one.subresource and (moment := moment_in(one.time)))
    return CachedAgent(
        client=client_agent(agent),
        spec=agent.spec,
        created=created,
        updated=max(written, default=created),
        version=int(meta.resource_version or 0),
        is_generated=GENERATED in meta.annotations,
    )


class CachedAgentIndex(AgentIndex[CachedAgent]):
    """Nothing is put back by an older sight of it: an answer to a write may come when the watch has told more.

    Agents that have no id yet are counted, too: they are objects like others.
    """

    def __init__(self) -> None:
        super().__init__()
        self._without_id: dict[str, dict[str, CachedAgent]] = {}

    def count_in(self, namespace: str) -> int:
        """How many are in this namespace."""
        return len(self._by_name.get(namespace, ())) + len(self._without_id.get(namespace, ()))

    def put(self, agent: CachedAgent) -> None:
        """Add the agent, or put it in the place of what it was before."""
        known = self.get(self.key(agent))
        if known is not None and known.version > agent.version:
            return
        super().put(agent)
        if not agent.agent_id:
            self._without_id.setdefault(agent.namespace, {})[agent.name] = agent

    def remove(self, agent: CachedAgent) -> None:
        """Whatever is known under this agent's name goes."""
        super().remove(agent)
        of_namespace = self._without_id.get(agent.namespace, {})
        of_namespace.pop(agent.name, None)
        if not of_namespace:
            self._without_id.pop(agent.namespace, None)

    def get(self, key: tuple[str, str]) -> CachedAgent | None:
        """The agent of this namespace and name."""
        namespace, name = key
        return super().get(key) or self._without_id.get(namespace, {}).get(name)

    def by_key(self) -> dict[tuple[str, str], CachedAgent]:
        """All of them."""
        waiting = self._without_id.items()
        without = {(namespace, name): agent for namespace, agents in waiting for name, agent in agents.items()}
        return super().by_key() | without


DATED_AGENTS: Kind[AgentWithManagedFields] = Kind(
    AGENTS.group, AGENTS.version, AGENTS.plural, AGENTS.name, AgentWithManagedFields
)
REGISTERED_AGENTS = Projection(DATED_AGENTS, registered)
