"""Deletes records of what has ended, so that making and ending in a loop leaves a bounded number of them in etcd.

What flows in: the registry, every ten seconds. What flows out: deletions of credentials that have ended and of agents that are
decommissioned, if this API made them and `kept` newer ones have ended, of the same agent or in the same namespace. Whether an
object is such a one is judged again as it is at the API server. An admission policy holds this program to it: it may delete
nothing else. The marks that tell what this API made can be written by whoever may write the object; all that they get by it is
that a record of their own namespace goes whose end nobody can undo. See docs/decisions/0036.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

import structlog

from agentidp.domain.resources import AgentCredential, AgentState, CredentialState, NamespacedName
from agentidp.kube.errors import ApiError
from agentidp.kube.pager import CHUNK
from management_api.cache.agents import AgentWithManagedFields, CachedAgent, CachedAgentIndex
from management_api.cache.agents import registered as registered_agent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status, registered
from management_api.errors import ApiFailure, agent_not_found, credential_not_found
from management_api.operations.optimistic_writer import OptimisticWriter

EVERY_SECONDS = 10.0
MOST_OF_A_NAMESPACE = 1_000
"""In one sweep, so that a namespace with many of them does not hold up others."""

REVOKED = {"spec": {"state": CredentialState.REVOKED.value}}

log = structlog.get_logger()


class Excess(NamedTuple):
    """What is to go: credentials first, then the agents that have none left, each with the ids of those that name it now."""

    credentials: list[CachedCredential]
    agents: list[tuple[CachedAgent, set[str]]]


class Retention:
    """Keeps `kept` records of each agent and of each namespace."""

    def __init__(
        self,
        registry: ClusterCache,
        agents: OptimisticWriter[AgentWithManagedFields],
        credentials: OptimisticWriter[AgentCredential],
        kept: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry
        self._agents = agents
        self._credentials = credentials
        self._kept = kept
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Once. Whatever is wrong with one object harms no other: it is tried again next time."""
        excess, deleted = await self._excess(), set[str]()
        for credential in excess.credentials:
            if await _try(self._delete_credential(credential), credential.namespace, credential.name):
                deleted.add(credential.credential_id)
        for agent, its_credentials in excess.agents:
            if its_credentials <= deleted:
                await _try(self._delete_agent(agent), agent.namespace, agent.name)

    async def _excess(self) -> Excess:
        agents = excess_agents(self._registry.agents.table, self._kept)
        naming: dict[NamespacedName, set[str]] = {NamespacedName(agent.namespace, agent.name): set() for agent in agents}
        of_agents = defaultdict[NamespacedName, list[CachedCredential]](list)
        for count, credential in enumerate(list(self._registry.credentials.table)):
            agent = NamespacedName(credential.namespace, credential.agent_name)
            if self._has_ended(credential):
                of_agents[agent].append(credential)
            if agent in naming:
                naming[agent].add(credential.credential_id)
            if count % CHUNK == 0:
                await asyncio.sleep(0)
        over = (one for agent, ended in of_agents.items() for one in oldest(ended, 0 if agent in naming else self._kept))
        return Excess(bounded(over), [(agent, naming[NamespacedName(agent.namespace, agent.name)]) for agent in agents])

    def _has_ended(self, credential: CachedCredential) -> bool:
        """Ended for good or expired, and made here."""
        if not credential.is_generated:
            return False
        expired = credential.expires is not None and credential.expires <= self._clock()
        return credential.status is Status.REVOKED or expired or self._is_of_decommissioned(credential)

    def _is_of_decommissioned(self, credential: CachedCredential) -> bool:
        agent = self._registry.agents.table.named(credential.namespace, credential.agent_name)
        return agent is not None and agent.is_decommissioned

    async def _delete_credential(self, credential: CachedCredential) -> None:
        """Revoked first where it has only expired: nobody may make it good while it goes."""
        where = credential.namespace, credential.name, credential.credential_id
        missing = credential_not_found(credential.credential_id)

        def revoked(now: AgentCredential) -> dict[str, Any]:
            return REVOKED if self._has_ended(registered(now)) and now.spec.state is not CredentialState.REVOKED else {}

        current = await self._credentials.change(*where, missing, revoked)
        if not self._has_ended(registered(current)):
            raise missing
        await self._credentials.delete(current)

    async def _delete_agent(self, agent: CachedAgent) -> None:
        current = await self._agents.read(agent.namespace, agent.name, agent.client.uid, agent_not_found(agent.agent_id))
        if is_removable(registered_agent(current)):
            await self._agents.delete(current)


def excess_agents(agents: CachedAgentIndex, kept: int) -> list[CachedAgent]:
    """Those that are decommissioned, were registered here, and are not among the newest of their namespace."""
    removable = sorted(filter(is_removable, agents), key=lambda agent: agent.namespace)
    ended = (list(group) for _, group in groupby(removable, key=lambda agent: agent.namespace))
    return [agent for group in ended for agent in sorted(group, key=lambda agent: agent.updated)[: max(0, len(group) - kept)]]


def is_removable(agent: CachedAgent) -> bool:
    """An id that somebody chose stays taken: the record of its agent is what keeps it from another."""
    return agent.is_generated and agent.spec.state is AgentState.DECOMMISSIONED and agent.spec.agent_id is None


def oldest(ended: list[CachedCredential], kept: int) -> list[CachedCredential]:
    """All but the newest, by when they ended."""
    in_order = sorted(ended, key=lambda one: one.revoked or one.expires or one.created)
    return in_order[: max(0, len(in_order) - kept)]


def bounded(credentials: Iterable[CachedCredential]) -> list[CachedCredential]:
    """At most `MOST_OF_A_NAMESPACE` of each namespace."""
    counts, taken = defaultdict[str, int](int), list[CachedCredential]()
    for one in credentials:
        counts[one.namespace] += 1
        if counts[one.namespace] <= MOST_OF_A_NAMESPACE:
            taken.append(one)
    return taken


async def _try(deletion: Coroutine[Any, Any, None], namespace: str, name: str) -> bool:
    try:
        await deletion
    except (ApiError, ApiFailure) as trouble:
        log.debug("a record was not deleted yet", record=f"{namespace}/{name}", why=str(trouble))
        return False
    except Exception as fault:  # noqa: BLE001 what a tenant can write must not end the process, nor get into the log
        log.error("a record could not be looked at", record=f"{namespace}/{name}", error=type(fault).__name__)  # noqa: TRY400
        return False
    return True
