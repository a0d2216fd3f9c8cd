"""Secrets that bcrypt has accepted once, as keyed digests: so bcrypt runs for the first sight only.

The key is made when the process starts and never leaves it. An entry names the hash that accepted, and is worth nothing once
that hash is not accepted any more: whoever uses one asks the index.
"""

import hmac
import secrets

from msgspec import Struct

from token_service.http.client_authentication import ClientCredentials

MOST = 200_000


class VerifiedSecret(Struct, frozen=True, gc=False):
    """Whose secret it was, and which hash accepted it; `proof` is the half of the digest that is compared."""

    proof: bytes
    credential_id: str
    hash: str


class VerifiedSecrets:
    """A bounded cache; the oldest entries go first."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._entries: dict[bytes, VerifiedSecret] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def digest(self, pair: ClientCredentials) -> bytes:
        """HMAC-SHA256 of a pair."""
        return hmac.digest(self._key, pair.client_id.encode() + b"\0" + pair.secret, "sha256")

    def find(self, digest: bytes) -> VerifiedSecret | None:
        """The entry of a pair: found by one half of its digest, the other half compared in constant time."""
        entry = self._entries.get(digest[:16])
        return entry if entry and hmac.compare_digest(entry.proof, digest[16:]) else None

    def add(self, digest: bytes, credential_id: str, hashed: str) -> None:
        """The hash has accepted the pair."""
        self._entries.pop(digest[:16], None)
        self._entries[digest[:16]] = VerifiedSecret(digest[16:], credential_id, hashed)
        if len(self._entries) > MOST:
            del self._entries[next(iter(self._entries))]

    def forget(self, digest: bytes) -> None:
        """The hash that accepted the pair is not accepted any more."""
        self._entries.pop(digest[:16], None)
