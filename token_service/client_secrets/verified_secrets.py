"""What is remembered of presented secrets: one positive memory and one negative one, both by keyed digests and bounded.

The key is made when the process starts and never leaves it, so a digest tells nothing outside of this process. A positive
entry names the hash that accepted the secret, and counts only while the cluster cache still holds that hash: whoever uses an
entry asks the cache.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from agentidp.runtime.bounded_cache import BoundedCache
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import LIMITS, Limits


class VerifiedSecret(Struct, frozen=True, gc=False):
    """The credential and the hash that accepted a secret; `proof` is the half of the digest that is compared."""

    proof: bytes
    credential_id: str
    hash: str


class VerifiedSecrets:
    """Positive memory: secrets that bcrypt has accepted, so that bcrypt runs once for a secret. The oldest entries go first."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._key = secrets.token_bytes(32)
        self._entries: BoundedCache[bytes, VerifiedSecret] = BoundedCache(limits.max_verified_secrets)

    def __len__(self) -> int:
        return len(self._entries)

    def digest(self, presented: ClientCredentials) -> bytes:
        """HMAC-SHA256 of a client_id and a secret."""
        return hmac.digest(self._key, presented.client_id.encode() + b"\0" + presented.secret, "sha256")

    def find(self, digest: bytes) -> VerifiedSecret | None:
        """The entry of a digest: found by one half, the other half compared in constant time."""
        entry = self._entries.get(digest[:16])
        return entry if entry and hmac.compare_digest(entry.proof, digest[16:]) else None

    def add(self, digest: bytes, credential_id: str, hashed: str) -> None:
        """Remember that this hash of this credential has accepted the secret."""
        self._entries.put(digest[:16], VerifiedSecret(digest[16:], credential_id, hashed))


class RejectedSecrets:
    """Negative memory. A hash that bcrypt has found not to be a secret's is never checked again.

    Client credentials that the API server's state has rejected cause no live read for `rejected_seconds`.
    """

    def __init__(self, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._rejected_seconds = limits.rejected_seconds
        self._clock = clock
        self._mismatches: BoundedCache[tuple[str, bytes], bool] = BoundedCache(limits.max_mismatches)
        self._rejected_until: BoundedCache[bytes, float] = BoundedCache(limits.max_rejected_secrets)

    def has_hash(self, hashed: str, digest: bytes) -> bool:
        """Whether bcrypt has found that the hash is not that of this secret."""
        return self._mismatches.get((hashed, digest), False)

    def add_hash(self, hashed: str, digest: bytes) -> None:
        """Remember that the hash is not that of this secret."""
        self._mismatches.put((hashed, digest), True)

    def has_client(self, digest: bytes) -> bool:
        """Whether the API server's state has rejected these client credentials lately."""
        return self._rejected_until.get(digest, 0.0) > self._clock()

    def add_client(self, digest: bytes) -> None:
        """Remember that the API server's state has rejected these client credentials just now."""
        self._rejected_until.put(digest, self._clock() + self._rejected_seconds)
