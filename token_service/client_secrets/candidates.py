"""Which of a client's hashes is that of a secret: bcrypt says, at once where a hint has chosen the hash, else in turn.

A hint is 32 bits, and whoever may read credentials can find other secrets that have it. So a hint that misleads says nothing
against its hash: what bcrypt has refused is not asked again, and where hints mislead often, secrets are checked as guesses.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agentidp.domain.identity.clients import ClientCredential, ClientHash
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.client_secrets.brute_force import BruteForceGuard
from token_service.client_secrets.verifier import Check, SecretVerifier
from token_service.http.client_authentication import ClientCredentials

MISLED_PER_SECOND, MISLED_AT_ONCE = 0.2, 10


class Candidate(NamedTuple):
    """A hash that may be a secret's, and the credential that it belongs to."""

    credential: ClientCredential
    hash: ClientHash


class CandidateMatcher:
    """Finds the right one of the candidates."""

    def __init__(self, verifier: SecretVerifier) -> None:
        self._verifier = verifier
        self._guesses = BruteForceGuard(verifier)
        self._misled = TokenBuckets(MISLED_PER_SECOND, MISLED_AT_ONCE)
        self._led_to: dict[tuple[str, str], bytes] = {}
        """The hashes of clients that are being checked because of a hint, each with the digest of the pair."""

    async def right_one(self, pair: ClientCredentials, digest: bytes, candidates: Sequence[Candidate]) -> Candidate | None:
        """The candidate whose hash is the secret's. Raises Busy and TooManyGuesses."""
        fresh = [one for one in candidates if not self._verifier.has_refused(one.hash.hash, digest)]
        guesses: list[Candidate] = []
        for one in sorted(fresh, key=lambda one: one.hash.hint is None):
            if not self._trusts(one.hash, pair, digest):
                guesses.append(one)
            elif await self._matches(one, pair, digest):
                return one
        return await self._guessed(pair, digest, guesses) if guesses else None

    async def _guessed(self, pair: ClientCredentials, digest: bytes, guesses: Sequence[Candidate]) -> Candidate | None:
        namespace, hashes = guesses[0].credential.namespace, tuple(one.hash.hash for one in guesses)
        right = await self._guesses.right_one(pair, digest, namespace, hashes)
        return next((one for one in guesses if one.hash.hash == right), None)

    def _trusts(self, one: ClientHash, pair: ClientCredentials, digest: bytes) -> bool:
        """Whether a hint has chosen the hash that did not mislead lately; of two secrets that have it at most one is right."""
        led_by = self._led_to.get((pair.client_id, one.hash), digest)
        return one.hint is not None and led_by == digest and not self._misled.wait(pair.client_id)

    async def _matches(self, one: Candidate, pair: ClientCredentials, digest: bytes) -> bool:
        key = pair.client_id, one.hash.hash
        self._led_to[key] = digest
        try:
            matches = await self._verifier.matches(one.credential.namespace, Check(one.hash.hash, digest, pair.secret))
        finally:
            self._led_to.pop(key, None)
        if not matches:
            self._misled.take(pair.client_id)
        return matches
