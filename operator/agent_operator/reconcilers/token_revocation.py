"""Sweep TokenRevocations: nobody needs one when its token would have expired anyway."""

from datetime import datetime

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.resources import NamespacedName
from agentidp.domain.tokens.signing_keys import CLOCK_SKEW


class RevocationReconciler:
    """One delete, when its time has come."""

    def __init__(self, world: ClusterCache, writes: FencedWriter) -> None:
        self._world = world
        self._writes = writes

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """When the revocation can go; later than its token's end, because verifiers' clocks differ."""
        revocation = self._world.revocations.get(name)
        if revocation is None:
            return None
        due = revocation.spec.expires_at + CLOCK_SKEW
        if now() < due:
            return due
        await self._writes.no_revocation(revocation)
        return None
