"""Reconcile a TokenRevocation: delete it once its token has expired."""

from datetime import datetime

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.resources import NamespacedName
from agentidp.domain.tokens.signing_keys import CLOCK_SKEW


class RevocationReconciler:
    """Deletes each TokenRevocation when it is due."""

    def __init__(self, cache: ClusterCache, writer: FencedWriter) -> None:
        self._cache = cache
        self._writer = writer

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """Delete the revocation, or return when: after the token's expiry, because verifiers' clocks differ."""
        revocation = self._cache.revocations.get(name)
        if revocation is None:
            return None
        due = revocation.spec.expires_at + CLOCK_SKEW
        if now() < due:
            return due
        await self._writer.delete_revocation(revocation)
        return None
