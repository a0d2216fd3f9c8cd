"""Reconcile an agent: register its id once, and write into its status whether it may get tokens."""

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

COUNT_INTERVAL = timedelta(seconds=1)
"""The shortest interval between writes of a status in which only the counts differ."""


class AgentReconciler:
    """Writes at most one status, bound to the version that was read."""

    def __init__(self, cluster: KubeClient, cache: ClusterCache, writer: FencedWriter) -> None:
        self._cluster = cluster
        self._cache = cache
        self._writer = writer
        self._counted: dict[NamespacedName, datetime] = {}
        self._registering: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """Reconcile, and return when the agent is due again. Agents that claim one id are reconciled one at a time."""
        agent = self._cache.agents.get(name)
        if agent is None:
            self._counted.pop(name, None)
            return None
        async with self._registering.setdefault(claimed_id(agent), asyncio.Lock()):
            return await self._register(self._cache.agents.get(name) or agent)

    async def _register(self, agent: Agent) -> datetime | None:
        name = agent.key
        status = register(self._gather(agent), now())
        due = tokens_from(agent.spec.tokens_valid_after, now())
        if _is_conflict(status) and not _is_conflict(agent.status):
            await self._verify_rivals(agent)
            status = register(self._gather(agent), now())
        self._keep_place(agent, status)
        if status == agent.status:
            return due
        if _only_counts_differ(agent.status, status) and now() < (later := self._counted.get(name, now()) + COUNT_INTERVAL):
            self._counted.setdefault(name, now())
            return min(later, due) if due else later
        self._counted[name] = now()
        await self._record(agent, status)
        return due

    def _keep_place(self, agent: Agent, status: AgentStatus) -> None:
        """Before anything else is decided: agents of one organization may be reconciled at the same time."""
        is_admitted = status.organization_id is not None and status.organization_id != agent.status.organization_id
        memberships = self._cache.memberships
        (memberships.reserve if is_admitted else memberships.release)(agent)

    def _gather(self, agent: Agent) -> AgentInput:
        organization = self._organization_of(agent)
        return AgentInput(
            agent=agent,
            rivals=self._rivals_of(agent),
            organization=organization,
            organization_full=bool(organization and not self._cache.memberships.has_place_for(agent, organization)),
            credentials=self._cache.count_credentials(agent.key),
        )

    def _rivals_of(self, agent: Agent) -> tuple[Agent, ...]:
        return tuple(rival for rival in self._cache.claimants_of(claimed_id(agent)) if rival.key != agent.key)

    def _organization_of(self, agent: Agent) -> Organization | None:
        claimed = agent.spec.organization_id
        return self._cache.organizations.get(NamespacedName("", claimed)) if claimed else None

    async def _verify_rivals(self, agent: Agent) -> None:
        """Read rivals live: an agent that lost its id never gets it back, so it must not lose it to a deleted rival.

        The first rival that exists is enough, so many agents of one id cost one live read each.
        """
        while rival := rival_ahead(agent, self._rivals_of(agent)):
            current = await refresh(self._cluster, AGENTS, self._cache.agents, rival)
            if current and current.metadata.resource_version == rival.metadata.resource_version:
                return

    async def _record(self, agent: Agent, status: AgentStatus) -> None:
        try:
            written = await self._writer.agent_status(agent, status)
        except (Conflict, NotFound):
            await refresh(self._cluster, AGENTS, self._cache.agents, agent)  # which enqueues this agent again
            return
        for after in status.conditions:
            before = condition(agent.status.conditions, after.type)
            if before is None or (before.reason, before.message) != (after.reason, after.message):
                warning = after.status != ConditionStatus.TRUE
                self._writer.agent_event(written, Reason(after.reason), after.message, warning=warning, transition=True)


def _is_conflict(status: AgentStatus) -> bool:
    ready = condition(status.conditions, READY)
    return ready is not None and ready.reason == Reason.AGENT_ID_CONFLICT


def _only_counts_differ(before: AgentStatus, after: AgentStatus) -> bool:
    return replace(before, credentials=after.credentials) == after
