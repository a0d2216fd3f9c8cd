"""Make secrets off the event loop: in a bounded pool, because bcrypt takes a core for as long as it takes.

Groups (namespaces) that wait for the pool take turns, so one that asks for many secrets delays another by two hashes.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from agentidp.domain.secrets.client_secrets import generate_secret, hash_secret, hint_of
from agentidp.runtime.pools.fair_lock import FairLock

NICENESS = 5  # hashing gives way to the event loop, which answers probes and renews the lease


class GeneratedSecret(NamedTuple):
    """A secret that nobody knows yet, and what may be published of it."""

    value: str
    hashed: str
    hint: str

    def __repr__(self) -> str:
        """Never the value: this is what a traceback would show."""
        return f"GeneratedSecret(hint={self.hint})"

    def of(self, credential_id: str) -> "GeneratedSecret":
        """The same for a credential that has its id only now."""
        return self._replace(hint=hint_of(credential_id, self.value.encode()))


class SecretGenerator:
    """bcrypt in threads; it releases the GIL, so threads use all cores."""

    def __init__(self, threads: int, cost: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "bcrypt", initializer=_give_way)
        self._places = FairLock(2 * threads)  # one more for each thread, which need not wait for the event loop then
        self._cost = cost

    async def make(self, credential_id: str, group: str = "") -> GeneratedSecret:
        """A new secret for this credential, when it is its group's turn."""
        value = generate_secret()
        async with self._places.place_for(group):
            hashed = await asyncio.get_running_loop().run_in_executor(self._pool, hash_secret, value, self._cost)
        return GeneratedSecret(value, hashed, hint_of(credential_id, value.encode()))


def _give_way() -> None:
    if hasattr(os, "setpriority"):  # on Linux this concerns the calling thread alone
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
