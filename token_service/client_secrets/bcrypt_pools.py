"""The two bcrypt pools: one for hashes that a hint has chosen, one for hashes that anybody can have checked.

A hash that was found by its hint is nearly always the right one, so its check is charged to the namespace of the hash (see
`BcryptPool`). Other checks can be caused by anybody who knows a client's id; they have one thread of their own, in which
namespaces take turns as well. So guesses take no turn from the checks of those who know a secret. Flows in: checks. Flows out:
whether the hash is that of the secret. Equal checks run once. Threads and waiting checks are bounded. Decision 34 says why.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from agentidp.domain.secrets.client_secrets import cost_of, secret_matches
from agentidp.runtime.pools.bcrypt_pool import BcryptPool
from token_service.client_secrets.verified_secrets import RejectedSecrets

Bcrypt = Callable[[bytes, str], bool]
"""Whether the hash is that of the secret; it runs in a thread, and may take long."""


@dataclass(frozen=True)
class Check:
    """A secret with its keyed digest, and a hash that may be the secret's."""

    hashed: str
    digest: bytes
    secret: bytes = field(compare=False, repr=False)


class BcryptPools:
    """Checks up to `threads` hashes of one namespace at a time, one more of others, and one guess."""

    def __init__(
        self,
        threads: int,
        max_waiting: int,
        rejected: RejectedSecrets,
        count: Callable[[bool], None] = lambda _: None,
        bcrypt: Bcrypt = secret_matches,
    ) -> None:
        def work(check: Check) -> bool:
            return bcrypt(check.secret, check.hashed)

        self._hinted = BcryptPool(threads + 1, max_waiting, work, self._finished)
        self._guesses = BcryptPool(1, max_waiting, work, self._finished)
        self._rejected = rejected
        self._count = count

    def __len__(self) -> int:
        return len(self._hinted) + len(self._guesses)

    async def matches(self, namespace: str, check: Check) -> bool:
        """Whether the hash, of this namespace, is that of the secret; a hint has chosen the hash. Raises Busy."""
        return await self._hinted.run(namespace, cost_of(check.hashed), check)

    async def matches_guess(self, namespace: str, check: Check) -> bool:
        """Whether the hash, of this namespace, is that of the secret; no hint has chosen the hash. Raises Busy."""
        return await self._guesses.run(namespace, cost_of(check.hashed), check)

    def close(self) -> None:
        """Stop. Checks that have not begun are cancelled."""
        self._hinted.close()
        self._guesses.close()

    def _finished(self, check: Check, matches: bool) -> None:
        self._count(matches)
        if not matches:
            self._rejected.add_hash(check.hashed, check.digest)
