"""An agent as the registry keeps it: its facts, and what decides about its tokens."""

from datetime import datetime

from msgspec import Struct

from agentidp.domain.clients import ClientAgent, client_agent
from agentidp.domain.resources import Agent, AgentSpec, AgentState, ObjectMeta
from agentidp.index.agents import AgentTable
from agentidp.kube.kinds import AGENTS, Extract, Kind
from management_api.registry.moments import moment_in


class ManagedFields(Struct, frozen=True, rename="camel"):
    """Who wrote a part of an object, and when; by what they say."""

    time: str | None = None
    subresource: str = ""


class DatedMeta(ObjectMeta, frozen=True, kw_only=True):
    """Metadata that tell when the spec was last written."""

    managed_fields: tuple[ManagedFields, ...] = ()


class DatedAgent(Agent, frozen=True, kw_only=True):
    """For reading only: what is written back would claim others' fields."""

    metadata: DatedMeta = DatedMeta()


class RegisteredAgent(Struct, frozen=True, gc=False):
    """An agent with its id."""

    client: ClientAgent
    spec: AgentSpec
    created: datetime
    updated: datetime
    version: int

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


def registered(agent: DatedAgent) -> RegisteredAgent:
    """What is kept of an agent."""
    meta = agent.metadata
    created = meta.creation_timestamp or datetime.fromisoformat("1970-01-01T00:00:00Z")
    written = (moment for one in meta.managed_fields if not one.subresource and (moment := moment_in(one.time)))
    return RegisteredAgent(
        client=client_agent(agent),
        spec=agent.spec,
        created=created,
        updated=max(written, default=created),
        version=int(meta.resource_version or 0),
    )


class RegisteredAgentTable(AgentTable[RegisteredAgent]):
    """Nothing is put back by an older sight of it: an answer to a write may come when the watch has told more."""

    def put(self, agent: RegisteredAgent) -> None:
        """Add the agent, or put it in the place of what it was before."""
        known = self.named(agent.namespace, agent.name)
        if known is None or known.version <= agent.version:
            super().put(agent)


DATED_AGENTS: Kind[DatedAgent] = Kind(AGENTS.group, AGENTS.version, AGENTS.plural, AGENTS.name, DatedAgent)
REGISTERED_AGENTS = Extract(DATED_AGENTS, registered)
