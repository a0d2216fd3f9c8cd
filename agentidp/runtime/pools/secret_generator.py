"""Secret generator: makes client secrets and their bcrypt hashes in a few threads, off the event loop.

Flows in: the id of a credential, and a group (a namespace). Flows out: a secret, its hash and its hint. Bounded: two hashes a
thread at a time; groups that wait take turns (`FairLock`), so a group that wants many secrets delays another one by two hashes.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from agentidp.domain.secrets.client_secrets import generate_secret, hash_secret, hint_of
from agentidp.runtime.pools.fair_lock import FairLock

NICENESS = 5  # lower than the event loop's priority, which answers probes and renews the lease


class GeneratedSecret(NamedTuple):
    """A new secret, and its hash and hint, which may be published."""

    value: str
    hashed: str
    hint: str

    def __repr__(self) -> str:
        """The hint only: a traceback shows this."""
        return f"GeneratedSecret(hint={self.hint})"

    def of(self, credential_id: str) -> "GeneratedSecret":
        """The same secret for a credential whose id is known only now."""
        return self._replace(hint=hint_of(credential_id, self.value.encode()))


class SecretGenerator:
    """Threads that hash. bcrypt releases the GIL, so they use all cores."""

    def __init__(self, threads: int, cost: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "bcrypt", initializer=_set_niceness)
        self._places = FairLock(2 * threads)  # so a thread has its next job at once
        self._cost = cost

    async def make(self, credential_id: str, group: str = "") -> GeneratedSecret:
        """Return a new secret for this credential, in its group's turn."""
        value = generate_secret()
        async with self._places.place_for(group):
            hashed = await asyncio.get_running_loop().run_in_executor(self._pool, hash_secret, value, self._cost)
        return GeneratedSecret(value, hashed, hint_of(credential_id, value.encode()))


def _set_niceness() -> None:
    if hasattr(os, "setpriority"):  # on Linux this concerns the calling thread alone
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
