"""When a change has taken effect: the operator has published it, and every ready replica of the token service acts by it."""

import asyncio
from collections.abc import Callable

from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.reasons import Reason
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status
from management_api.errors import ApiFailure, agent_not_active, already_revoked, forbidden, unavailable
from management_api.operations.propagation_check import PropagationCheck

_OF_THE_AGENT = {
    Reason.AGENT_SUSPENDED,
    Reason.AGENT_DECOMMISSIONED,
    Reason.AGENT_NOT_READY,
    Reason.AGENT_NOT_FOUND,
    Reason.AGENT_REPLACED,
}


class NotPublished(Exception):
    """The operator did not publish the change in time."""


class Propagation:
    """Waits, so many seconds at most for the operator; `barrier` has a bound of its own."""

    def __init__(self, registry: ClusterCache, seconds: float, barrier: PropagationCheck) -> None:
        self.seconds = seconds
        self._registry = registry
        self._barrier = barrier

    async def published(self, credential_id: str, holds: Callable[[CachedCredential], bool]) -> CachedCredential:
        """The credential as soon as this holds. Raises NotPublished, or Failure where it cannot come to hold any more."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.seconds
        while True:
            seen = self._registry.credentials.table.get(credential_id)
            if seen is not None:
                if seen.status is Status.REVOKED:
                    raise already_revoked(credential_id)
                if holds(seen):
                    return seen
                if seen.is_settled and seen.phase is not CredentialPhase.ACTIVE:
                    raise _held_back(seen)
            if not await self._registry.changes.wait(credential_id, deadline - loop.time()):
                raise NotPublished(f"The operator has not told within {self.seconds:g} s that it is done.")

    async def can_be_confirmed(self) -> None:
        """Every replica of the token service answers: a change that could not be confirmed is not begun. Raises Unconfirmed."""
        await self._barrier.ready()

    async def everywhere(self, credential: AgentCredential) -> None:
        """Return when every ready replica of the token service acts by this version. Raises Unconfirmed."""
        await self._barrier.wait(credential)


def _held_back(seen: CachedCredential) -> ApiFailure:
    if seen.why in _OF_THE_AGENT:
        return agent_not_active("The agent is not active, so it gets no secret.")
    if seen.why == Reason.SECRETS_NOT_ALLOWED:
        return forbidden("The agent takes no secrets: it has its workload's identity.")
    if seen.why == Reason.CREDENTIAL_LIMIT_REACHED:
        return forbidden("The agent has as many credentials as it may have; revoke one first.")
    return unavailable(f"The operator does not publish the change: {seen.why}. Nothing was done.")
