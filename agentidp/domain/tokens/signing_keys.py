"""The key set that signs access tokens: its keys, the signing one, the published ones, and when the next one is due.

A key is published before it signs, so caches of the JWKS have it in time. It stays published until the last token that it
signed has expired. All of this follows from the time alone, so every replica switches to a key at the same time.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from msgspec import Struct

from agentidp.domain.resources import GROUP, Time

SECRET_TYPE = f"{GROUP}/signing-keys"
SECRET_KEY = "keys.json"  # noqa: S105 the name of a key in the Secret's data
MAX_TOKEN_LIFETIME = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=5)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Algorithm(StrEnum):
    """JWS algorithms (RFC 7518, section 3.1) that tokens may be signed with."""

    ES256 = "ES256"
    RS256 = "RS256"


class SigningKey(Struct, frozen=True, kw_only=True, rename="camel"):
    """A private key and the time from which it signs; `kid` is its RFC 7638 thumbprint."""

    kid: str
    algorithm: Algorithm
    created_at: Time
    signs_from: Time
    private_key: str

    def __repr__(self) -> str:
        """Without the private key, because a traceback shows this."""
        return f"SigningKey({self.kid}, {self.algorithm}, signs from {self.signs_from})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which does not use the `repr`."""
        return [("kid", self.kid)]

    def load(self) -> PrivateKey:
        """The key object. Load it once, because parsing PEM is slow."""
        key = load_pem_private_key(self.private_key.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TypeError(f"key {self.kid} is neither an EC nor an RSA key")
        return key


class KeySet(Struct, frozen=True):
    """The signing keys, oldest first."""

    keys: tuple[SigningKey, ...] = ()

    def signing(self, now: datetime) -> SigningKey | None:
        """The youngest key that signs already; the oldest where none does, because the clock was set back."""
        oldest = self.keys[0] if self.keys else None
        return next((key for key in reversed(self.keys) if key.signs_from <= now), oldest)

    def published(self, now: datetime) -> tuple[SigningKey, ...]:
        """The keys that sign, will sign, or signed a token that may still be valid."""
        ends = (later.signs_from + MAX_TOKEN_LIFETIME + CLOCK_SKEW for later in self.keys[1:])
        past = sum(1 for end in ends if end <= now)
        return self.keys[past:]


class KeyPolicy(Struct, frozen=True):
    """The algorithm of keys, how long a key signs, and how long before that it is published."""

    algorithm: Algorithm = Algorithm.ES256
    lifetime: timedelta = timedelta(days=30)
    published_ahead: timedelta = timedelta(hours=1)


def key_due(keys: KeySet, policy: KeyPolicy) -> datetime | None:
    """The time when the next key must be made; None for at once."""
    if not keys.keys or keys.keys[-1].algorithm is not policy.algorithm:
        return None
    return keys.keys[-1].signs_from + policy.lifetime - policy.published_ahead


def with_new_key(keys: KeySet, policy: KeyPolicy, now: datetime) -> KeySet:
    """The key set with one more key, and without keys that are not published any more. The first key signs at once."""
    signs_from = max(keys.keys[-1].signs_from, now) + policy.published_ahead if keys.keys else now
    due = key_due(keys, policy)
    if due:
        signs_from = max(due, now) + policy.published_ahead
    return KeySet((*keys.published(now), generate(policy.algorithm, signs_from, now)))


def generate(algorithm: Algorithm, signs_from: datetime, now: datetime) -> SigningKey:
    """A new key. An RSA key takes a tenth of a second and more."""
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm is Algorithm.ES256
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return SigningKey(kid=thumbprint(key), algorithm=algorithm, created_at=now, signs_from=signs_from, private_key=pem)


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """The required members of the public key as a JWK (RFC 7518, section 6)."""
    public: Any = key.public_key().public_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"crv": "P-256", "kty": "EC", "x": _base64url(public.x, 32), "y": _base64url(public.y, 32)}
    return {"e": _base64url(public.e, 3), "kty": "RSA", "n": _base64url(public.n, key.key_size // 8)}


def thumbprint(key: PrivateKey) -> str:
    """SHA-256 over the required members in lexical order (RFC 7638, section 3)."""
    canonical = msgspec.json.encode(public_jwk(key), order="sorted")
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def _base64url(number: int, length: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()
