"""The secret verifier: which of a client's hashes is that of a presented secret.

A hint is the first 32 bits of SHA-256 over credential id and secret, published beside the hash
(`agentidp/domain/secrets/client_secrets.py`). It tells which hash to check. Flows in: candidates. Flows out: the one that
bcrypt accepts. Candidates that a hint has chosen are checked at once and first, all others as guesses (`brute_force`).

Whoever may read credentials can find other secrets with the same hint. So a misleading hint says nothing against its hash: a
hash that bcrypt has rejected for a secret is not checked again for it, and where hints of a client mislead often, its secrets
are checked as guesses.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agentidp.domain.identity.clients import ClientCredential, ClientHash
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.client_secrets.bcrypt_pools import BcryptPools, Check
from token_service.client_secrets.brute_force import BruteForceGuard
from token_service.client_secrets.verified_secrets import RejectedSecrets
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import LIMITS, Limits


class Candidate(NamedTuple):
    """A hash that may be a secret's, and the credential that it belongs to."""

    credential: ClientCredential
    hash: ClientHash


class SecretVerifier:
    """Finds the candidate whose hash is that of the presented secret."""

    def __init__(self, pools: BcryptPools, rejected: RejectedSecrets, limits: Limits = LIMITS) -> None:
        self._pools = pools
        self._rejected = rejected
        self._guard = BruteForceGuard(pools, limits)
        self._misleading = TokenBuckets(limits.misleading_hints_per_second, limits.misleading_hints_burst)
        self._checking: dict[tuple[str, str], bytes] = {}
        """Client id and hash of each check that a hint has caused, with the digest of the presented secret."""

    async def match(self, presented: ClientCredentials, digest: bytes, candidates: Sequence[Candidate]) -> Candidate | None:
        """The candidate whose hash is the secret's, if there is one. Raises Busy and TooManyAttempts."""
        # BcryptPools adds each mismatch to `rejected`. Besides, `_matches` counts misleading hints, and BruteForceGuard wrong
        # secrets.
        unchecked = [candidate for candidate in candidates if not self._rejected.has_hash(candidate.hash.hash, digest)]
        guesses: list[Candidate] = []
        for candidate in sorted(unchecked, key=lambda candidate: candidate.hash.hint is None):
            if not self._trusts_hint(candidate.hash, presented, digest):
                guesses.append(candidate)
            elif await self._matches(candidate, presented, digest):
                return candidate
        return await self._match_guesses(presented, digest, guesses) if guesses else None

    async def _match_guesses(
        self, presented: ClientCredentials, digest: bytes, guesses: Sequence[Candidate]
    ) -> Candidate | None:
        namespace, hashes = guesses[0].credential.namespace, tuple(guess.hash.hash for guess in guesses)
        accepting = await self._guard.match(presented, digest, namespace, hashes)
        return next((guess for guess in guesses if guess.hash.hash == accepting), None)

    def _trusts_hint(self, hashed: ClientHash, presented: ClientCredentials, digest: bytes) -> bool:
        """Whether a hint has chosen the hash, no other secret is being checked by it, and hints did not mislead lately."""
        checking = self._checking.get((presented.client_id, hashed.hash), digest)
        return hashed.hint is not None and checking == digest and not self._misleading.wait(presented.client_id)

    async def _matches(self, candidate: Candidate, presented: ClientCredentials, digest: bytes) -> bool:
        key = presented.client_id, candidate.hash.hash
        self._checking[key] = digest
        try:
            check = Check(candidate.hash.hash, digest, presented.secret)
            matches = await self._pools.matches(candidate.credential.namespace, check)
        finally:
            self._checking.pop(key, None)
        if not matches:
            self._misleading.take(presented.client_id)
        return matches
