"""Retention: deletes records of what has ended, so that creating and ending in a loop leaves a bounded number in etcd.

Flows in: the cluster cache, once per `Limits.retention_sweep_seconds`. Flows out: deletions of ended credentials and of
decommissioned agents that this API created, where `kept` newer ones have ended, of the same agent or in the same namespace.
Each object is judged again as it is stored before it is deleted. An admission policy holds this program to the same rule. The
annotation that says what this API created is its tenant's to write: with it, a tenant can only have a record of its own
namespace deleted whose end nobody can undo. One sweep deletes at most `Limits.max_deletions_per_namespace` credentials of a
namespace. Decision 36 says why.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import Any, NamedTuple

import structlog

from agentidp.domain.resources import AgentCredential, CredentialState, NamespacedName
from agentidp.kube.errors import ApiError
from agentidp.kube.pager import CHUNK
from agentidp.runtime.logs import REPORT, place_of
from management_api.cache.agents import AgentWithManagedFields, CachedAgent, CachedAgentIndex, cached_agent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status, cached_credential
from management_api.errors import ApiFailure
from management_api.limits import Limits
from management_api.operations.optimistic_writer import OptimisticWriter, agent_target, credential_target

REVOKED = {"spec": {"state": CredentialState.REVOKED.value}}

log = structlog.get_logger()


class Excess(NamedTuple):
    """Records to delete: first the credentials, then each agent unless a credential that names it is left."""

    credentials: list[CachedCredential]
    agents: list[tuple[CachedAgent, set[str]]]
    """Each agent with the ids of the credentials that name it."""


class Retention:
    """Keeps the `kept` newest ended records of each agent and of each namespace."""

    def __init__(
        self,
        cache: ClusterCache,
        agents: OptimisticWriter[AgentWithManagedFields],
        credentials: OptimisticWriter[AgentCredential],
        kept: int,
        limits: Limits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cache = cache
        self._agents = agents
        self._credentials = credentials
        self._kept = kept
        self._limits = limits
        self._clock = clock

    async def run(self) -> None:
        """Sweep at intervals until cancelled."""
        while True:
            await asyncio.sleep(self._limits.retention_sweep_seconds)
            await self.sweep()

    async def sweep(self) -> None:
        """Delete the excess. A failure of one object does not stop the others: the next sweep tries it again."""
        excess, deleted = await self._excess(), set[str]()
        for credential in excess.credentials:
            if await _try(self._delete_credential(credential), credential.namespace, credential.name):
                deleted.add(credential.credential_id)
        for agent, credential_ids in excess.agents:
            if credential_ids <= deleted:
                await _try(self._delete_agent(agent), agent.namespace, agent.name)

    async def _excess(self) -> Excess:
        agents = excess_agents(self._cache.agents.table, self._kept)
        named_by: dict[NamespacedName, set[str]] = {NamespacedName(agent.namespace, agent.name): set() for agent in agents}
        ended = defaultdict[NamespacedName, list[CachedCredential]](list)
        for count, credential in enumerate(list(self._cache.credentials.table)):
            agent = NamespacedName(credential.namespace, credential.agent_name)
            if self._has_ended(credential):
                ended[agent].append(credential)
            if agent in named_by:
                named_by[agent].add(credential.credential_id)
            if count % CHUNK == 0:
                await asyncio.sleep(0)
        groups = (oldest(group, 0 if agent in named_by else self._kept) for agent, group in ended.items())
        credentials = bounded(chain.from_iterable(groups), self._limits.max_deletions_per_namespace)
        return Excess(credentials, [(agent, named_by[NamespacedName(agent.namespace, agent.name)]) for agent in agents])

    def _has_ended(self, credential: CachedCredential) -> bool:
        """Return whether this API created the credential, and it is revoked, expired, or a decommissioned agent's."""
        if not credential.is_generated:
            return False
        is_expired = credential.expires is not None and credential.expires <= self._clock()
        return credential.status is Status.REVOKED or is_expired or self._agent_is_decommissioned(credential)

    def _agent_is_decommissioned(self, credential: CachedCredential) -> bool:
        agent = self._cache.agents.table.named(credential.namespace, credential.agent_name)
        return agent is not None and agent.is_decommissioned

    async def _delete_credential(self, credential: CachedCredential) -> None:
        """Revoke the credential where it has only expired, so that nobody can extend it meanwhile; then delete it."""
        target = credential_target(credential)

        def revocation(current: AgentCredential) -> dict[str, Any]:
            is_revoked = current.spec.state is CredentialState.REVOKED
            return REVOKED if not is_revoked and self._has_ended(cached_credential(current)) else {}

        current = await self._credentials.change(target, revocation)
        if not self._has_ended(cached_credential(current)):
            raise target.missing
        await self._credentials.delete(current)

    async def _delete_agent(self, agent: CachedAgent) -> None:
        current = await self._agents.read(agent_target(agent))
        if is_removable(cached_agent(current)):
            await self._agents.delete(current)


def excess_agents(agents: CachedAgentIndex, kept: int) -> list[CachedAgent]:
    """Return the removable agents, without the `kept` newest of each namespace."""
    removable = sorted(filter(is_removable, agents), key=lambda agent: (agent.namespace, agent.updated))
    groups = (list(group) for _, group in groupby(removable, key=lambda agent: agent.namespace))
    return [agent for group in groups for agent in group[: max(0, len(group) - kept)]]


def is_removable(agent: CachedAgent) -> bool:
    """Return whether this API registered the agent, and it is decommissioned. An id that was chosen keeps its record."""
    return agent.is_generated and agent.is_decommissioned and agent.spec.agent_id is None


def oldest(ended: list[CachedCredential], kept: int) -> list[CachedCredential]:
    """Return all but the `kept` that ended last."""
    ordered = sorted(ended, key=lambda credential: credential.revoked or credential.expires or credential.created)
    return ordered[: max(0, len(ordered) - kept)]


def bounded(credentials: Iterable[CachedCredential], max_per_namespace: int) -> list[CachedCredential]:
    """Return the first `max_per_namespace` credentials of each namespace."""
    counts, result = defaultdict[str, int](int), list[CachedCredential]()
    for credential in credentials:
        counts[credential.namespace] += 1
        if counts[credential.namespace] <= max_per_namespace:
            result.append(credential)
    return result


async def _try(deletion: Coroutine[Any, Any, None], namespace: str, name: str) -> bool:
    """Return whether the deletion succeeded; log why not."""
    try:
        await deletion
    except (ApiError, ApiFailure) as error:
        log.debug("a record was not deleted yet", record=f"{namespace}/{name}", why=str(error))
        return False
    except Exception as error:  # noqa: BLE001 a tenant's content must neither end the process nor get into the log
        log.error("a record could not be looked at", record=f"{namespace}/{name}", advice=REPORT, place=place_of(error))  # noqa: TRY400
        return False
    return True
