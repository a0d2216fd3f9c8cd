"""Secret generation with a bounded queue: hashing takes a core for 100 ms and more, and callers can ask for many secrets.

Flows in: requests for a secret, each of a tenant. Flows out: secrets, in turns by tenant (`SecretGenerator`). Bounded: secrets
that wait for a thread, in all and of one tenant; one more is refused at once, so no request waits long in vain.
"""

from agentidp.runtime.pools.fair_queue import GROUPS_THAT_FILL_IT
from agentidp.runtime.pools.group_counts import GroupCounts
from agentidp.runtime.pools.secret_generator import GeneratedSecret, SecretGenerator
from management_api.errors import unavailable


class BoundedGenerator:
    """Generates secrets in turns by tenant. At most `max_waiting` wait for a thread, at most a quarter of them one tenant's."""

    def __init__(self, threads: int, cost: int, max_waiting: int) -> None:
        self._generator = SecretGenerator(threads, cost)
        self._threads = threads
        self._max_waiting = max_waiting
        self._pending = GroupCounts()
        """By tenant: how many secrets are being hashed, or wait for a thread."""

    @property
    def pending(self) -> int:
        """Return how many secrets are being hashed, or wait for a thread."""
        return self._pending.total

    async def make(self, tenant: str) -> GeneratedSecret:
        """Return a new secret. Raises ApiFailure where too many wait, of this tenant or of all."""
        if not self._admits(tenant):
            raise unavailable("Too many secrets wait to be generated. Nothing was done.")
        self._pending.add(tenant)
        try:
            return await self._generator.make("", tenant)
        finally:
            self._pending.remove(tenant)

    def _admits(self, tenant: str) -> bool:
        """Return whether one more may wait. Tenants that take all they can still leave half of the rest to a newcomer."""
        share = max(1, self._max_waiting // GROUPS_THAT_FILL_IT)
        free = self._max_waiting + self._threads - self.pending
        return self._pending[tenant] - self._threads < min(share, free)
