"""Client secrets: how they are made, recognised by a hint, hashed and verified.

A secret is `sk_live_` and 32 lower-case hex digits: 128 bits of the operating system's generator, so bcrypt's cost is there
to satisfy those who read hashes, not to make up for guessable secrets.
"""

import hashlib
import secrets

import bcrypt

PREFIX = "sk_live_"
MAX_SECRET_BYTES = 72
"""What bcrypt takes; it raises on more, so longer ones are refused before."""
HINT_DIGITS = 8
MIN_COST, MAX_COST = 10, 14


def generate_secret() -> str:
    """A new secret."""
    return PREFIX + secrets.token_hex(16)


def hint_of(credential_id: str, secret: bytes) -> str:
    """The first 8 hex digits of SHA-256 over the credential's id, a NUL and the secret.

    It chooses which hash to check and rejects nearly every wrong secret without bcrypt; it leaves 96 unknown bits.
    """
    return hashlib.sha256(credential_id.encode() + b"\0" + secret).hexdigest()[:HINT_DIGITS]


def hash_secret(secret: str, cost: int) -> str:
    """The bcrypt hash (`$2b$`) of a secret; 56 ms at cost 10, off the event loop only."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(cost)).decode()


def cost_of(hashed: str) -> int:
    """The cost of a bcrypt hash, each step of which doubles the time; the highest where none can be read."""
    cost = hashed[4:6]
    return min(int(cost), MAX_COST) if cost.isdecimal() else MAX_COST


def secret_matches(secret: bytes, hashed: str) -> bool:
    """Whether bcrypt accepts the secret; as slow as hashing. What bcrypt cannot take, secret or hash, never matches."""
    if len(secret) > MAX_SECRET_BYTES or b"\0" in secret:
        return False
    try:
        return bcrypt.checkpw(secret, hashed.encode())
    except ValueError:  # a hash that its owner provided, with a salt that no bcrypt makes
        return False
