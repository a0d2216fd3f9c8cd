"""Bring one agent to rest: it gets its id once, and its status says whether it may get tokens."""

import asyncio
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.refresh import refresh
from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.identity.registration import (
    AgentInput,
    claimed_id,
    register,
    rival_ahead,
)
from agentidp.domain.identity.valid_after import tokens_from
from agentidp.domain.resources import Agent, AgentStatus, ConditionStatus, NamespacedName, Organization
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import AGENTS

COUNT_EVERY = timedelta(seconds=1)
"""How often an agent's status is written only because its credentials changed."""


class AgentReconciler:
    """One status write at most, and it is bound to the version that was looked at."""

    def __init__(self, cluster: KubeClient, world: ClusterCache, writes: FencedWriter) -> None:
        self._cluster = cluster
        self._world = world
        self._writes = writes
        self._counted: dict[NamespacedName, datetime] = {}
        self._giving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """When the agent must be looked at again. Of agents that claim one id, one is looked at a time."""
        agent = self._world.agents.get(name)
        if agent is None:
            self._counted.pop(name, None)
            return None
        async with self._giving.setdefault(claimed_id(agent), asyncio.Lock()):
            return await self._register(self._world.agents.get(name) or agent)

    async def _register(self, agent: Agent) -> datetime | None:
        name = agent.key
        status = register(self._see(agent), now())
        due = tokens_from(agent.spec.tokens_valid_after, now())
        if _is_conflict(status) and not _is_conflict(agent.status):
            await self._verify_rivals(agent)
            status = register(self._see(agent), now())
        if status == agent.status:
            return due
        if _only_counts_differ(agent.status, status) and now() < (later := self._counted.get(name, now()) + COUNT_EVERY):
            self._counted.setdefault(name, now())
            return min(later, due) if due else later
        self._counted[name] = now()
        await self._record(agent, status)
        return due

    def _see(self, agent: Agent) -> AgentInput:
        organization = self._organization_of(agent)
        return AgentInput(
            agent=agent,
            rivals=self._rivals_of(agent),
            organization=organization,
            organization_full=bool(organization and not self._world.memberships.has_place_for(agent, organization)),
            credentials=self._world.count_credentials(agent.key),
        )

    def _rivals_of(self, agent: Agent) -> tuple[Agent, ...]:
        return tuple(one for one in self._world.claimants_of(claimed_id(agent)) if one.key != agent.key)

    def _organization_of(self, agent: Agent) -> Organization | None:
        claimed = agent.spec.organization_id
        return self._world.organizations.get(NamespacedName("", claimed)) if claimed else None

    async def _verify_rivals(self, agent: Agent) -> None:
        """An agent that lost its id never gets it back, so it must not lose to one that is gone already.

        One that stands is enough: whoever declares many agents of one id must not cost a look at each for each.
        """
        while rival := rival_ahead(agent, self._rivals_of(agent)):
            current = await refresh(self._cluster, AGENTS, self._world.agents, rival)
            if current and current.metadata.resource_version == rival.metadata.resource_version:
                return

    async def _record(self, agent: Agent, status: AgentStatus) -> None:
        try:
            written = await self._writes.agent_status(agent, status)
        except (Conflict, NotFound):
            await refresh(self._cluster, AGENTS, self._world.agents, agent)  # which wakes this agent again
            return
        for after in status.conditions:
            before = condition(agent.status.conditions, after.type)
            if before is None or (before.reason, before.message) != (after.reason, after.message):
                warning = after.status != ConditionStatus.TRUE
                self._writes.agent_event(written, Reason(after.reason), after.message, warning=warning, transition=True)


def _is_conflict(status: AgentStatus) -> bool:
    ready = condition(status.conditions, READY)
    return ready is not None and ready.reason == Reason.AGENT_ID_CONFLICT


def _only_counts_differ(before: AgentStatus, after: AgentStatus) -> bool:
    return replace(before, credentials=after.credentials) == after
