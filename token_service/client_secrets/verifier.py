"""Is this the hash of this secret? bcrypt says, once for all who ask at the same time, and what it has refused is remembered.

A hash that was found by its hint is nearly always the right one, so such a check is charged to the namespace that the hash is
in (see `BcryptPool`). Others can be caused by anybody who knows a client's id. They have a thread of their own, in which
namespaces have their turns as well: so strangers' guesses take no turn from the checks of those who know.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from agentidp.domain.secrets.client_secrets import cost_of, secret_matches
from agentidp.runtime.pools.bcrypt_pool import BcryptPool

MAX_MISMATCHES = 20_000

Bcrypt = Callable[[bytes, str], bool]
"""Whether the hash is that of the secret; it may take long."""


@dataclass(frozen=True)
class Check:
    """A secret, which its digest tells from others, and a hash that may be its."""

    hashed: str
    digest: bytes
    secret: bytes = field(compare=False, repr=False)


class SecretVerifier:
    """Checks of `threads` hashes of one namespace at a time, and of one more that is not of it."""

    def __init__(
        self,
        threads: int,
        max_waiting: int,
        checked: Callable[[bool], None] = lambda _: None,
        bcrypt: Bcrypt = secret_matches,
        max_mismatches: int = MAX_MISMATCHES,
    ) -> None:
        def work(check: Check) -> bool:
            return bcrypt(check.secret, check.hashed)

        self._pool = BcryptPool(threads + 1, max_waiting, work, self._finished)
        self._pool_of_guesses = BcryptPool(1, max_waiting, work, self._finished)
        self._checked = checked
        self._max_mismatches = max_mismatches
        self._mismatches: dict[tuple[str, bytes], None] = {}

    def __len__(self) -> int:
        return len(self._pool) + len(self._pool_of_guesses)

    async def matches(self, namespace: str, check: Check) -> bool:
        """Whether the hash, of this namespace, is that of the secret. Raises Busy."""
        return await self._pool.run(namespace, cost_of(check.hashed), check)

    async def matches_guess(self, namespace: str, check: Check) -> bool:
        """The same where nothing says that it may be so. Raises Busy."""
        return await self._pool_of_guesses.run(namespace, cost_of(check.hashed), check)

    def has_refused(self, hashed: str, digest: bytes) -> bool:
        """Whether it was found before that the hash is not that of this secret."""
        return (hashed, digest) in self._mismatches

    def close(self) -> None:
        """Stop; what has not begun is not begun."""
        self._pool.close()
        self._pool_of_guesses.close()

    def _finished(self, check: Check, matches: bool) -> None:
        self._checked(matches)
        if not matches:
            self._remember((check.hashed, check.digest))

    def _remember(self, mismatch: tuple[str, bytes]) -> None:
        """The oldest are forgotten."""
        if len(self._mismatches) >= self._max_mismatches:
            del self._mismatches[next(iter(self._mismatches))]
        self._mismatches[mismatch] = None
