"""Client secrets: generation, hint, bcrypt hash and verification.

A secret is `sk_live_` and 32 lower-case hex digits, 128 bits of the operating system's generator. So nobody can guess a secret,
and the cost of bcrypt is not needed for that.
"""

import hashlib
import secrets

import bcrypt

PREFIX = "sk_live_"
MAX_SECRET_BYTES = 72
"""The longest secret that bcrypt takes. It raises on a longer one, which therefore never matches."""
HINT_DIGITS = 8
MIN_COST, MAX_COST = 10, 14


def generate_secret() -> str:
    """A new secret from the operating system's generator."""
    return PREFIX + secrets.token_hex(16)


def hint_of(credential_id: str, secret: bytes) -> str:
    """The first 8 hex digits of SHA-256 over the credential's id, a NUL and the secret.

    The hint selects the hash to check, and rejects nearly every wrong secret without bcrypt. It leaves 96 unknown bits.
    """
    return hashlib.sha256(credential_id.encode() + b"\0" + secret).hexdigest()[:HINT_DIGITS]


def hash_secret(secret: str, cost: int) -> str:
    """The bcrypt hash (`$2b$`) of a secret. It takes 56 ms at cost 10, so never call it on the event loop."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(cost)).decode()


def cost_of(hashed: str) -> int:
    """The cost of a bcrypt hash, each step of which doubles the time; MAX_COST where none can be read."""
    cost = hashed[4:6]
    return min(int(cost), MAX_COST) if cost.isdecimal() else MAX_COST


def secret_matches(secret: bytes, hashed: str) -> bool:
    """Whether the secret has this hash. As slow as `hash_secret`. A secret or hash that bcrypt cannot take never matches."""
    if len(secret) > MAX_SECRET_BYTES or b"\0" in secret:
        return False
    try:
        return bcrypt.checkpw(secret, hashed.encode())
    except ValueError:  # a hash that its owner provided, with a salt that no bcrypt makes
        return False
