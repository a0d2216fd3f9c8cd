"""Client assertions: tokens of Kubernetes ServiceAccounts, presented in place of a secret (RFC 7523, sections 2.2 and 3).

The cluster signs them. Their `sub` names a ServiceAccount, and `kubernetes.io` has its uid: a name can be used again, a uid
cannot. An Agent names its ServiceAccounts in `spec.workloads`. This module decides whether an assertion is valid, by keys and
a ServiceAccount that are read elsewhere.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import jwt
import msgspec
from msgspec import Struct, field

from agentidp.domain.resources.meta import Part, Time
from agentidp.domain.tokens.compact_jws import key_id

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""The algorithms of API servers; never HMAC and never none (RFC 8725, section 3.1)."""
LEEWAY_SECONDS = 30
"""By how much the clock of the API server may differ."""
API_SERVER_LEEWAY_SECONDS = 60
"""What API servers themselves allow in `exp`, `nbf` and `iat` of a ServiceAccount's token (`DefaultLeeway` of go-jose)."""
MAX_LIFETIME_SECONDS = 86_400
"""Tokens with a longer lifetime are not accepted (RFC 7523, section 3, item 4), because nothing revokes them."""

_SUBJECT = re.compile(r"system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)")
_OPTIONS: Any = {
    "require": ["iss", "sub", "aud", "iat", "exp"],
    "verify_aud": False,  # these are checked below, with the caller's clock and a reason each
    "verify_iss": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class AssertionFailure(StrEnum):
    """The reason why an assertion is not accepted: for logs and metrics, never for the client."""

    NOT_GENUINE = "AssertionNotGenuine"
    """It is no JWT, lacks a claim, or is not signed as the key says that it names."""
    KEY_UNKNOWN = "AssertionKeyUnknown"
    """Its `kid` is not among the keys of the cluster's API server."""
    OF_ANOTHER_ISSUER = "AssertionOfAnotherIssuer"
    """Its `iss` is not the issuer of this cluster's ServiceAccount tokens."""
    FOR_ANOTHER_AUDIENCE = "AssertionForAnotherAudience"
    """Its `aud` is not our issuer, and that alone."""
    EXPIRED = "AssertionExpired"
    """Its `exp` is in the past."""
    NOT_YET_VALID = "AssertionNotYetValid"
    """Its `nbf` or `iat` is in the future."""
    LIVES_TOO_LONG = "AssertionLivesTooLong"
    """From `iat` to `exp` is more than a day."""
    OF_NO_WORKLOAD = "AssertionOfNoWorkload"
    """Its `sub` is not a ServiceAccount."""
    WITHOUT_UID = "AssertionWithoutUid"
    """Its claim `kubernetes.io` has no uid for the ServiceAccount that `sub` names."""


class Workload(Struct, frozen=True, gc=False):
    """A ServiceAccount by its namespace and name."""

    namespace: str
    service_account: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service_account}"


class ServiceAccountIdentity(Part, frozen=True, kw_only=True):
    """What tells a ServiceAccount from others that have its name before or after it. Its owner can make none of it larger."""

    uid: str = ""
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None


class Assertion(Struct, frozen=True, gc=False):
    """The ServiceAccount that a token was issued to, by name and uid, and its lifetime in seconds since the epoch."""

    workload: Workload
    uid: str
    issued: float
    expires: float

    def is_of(self, account: ServiceAccountIdentity | None) -> bool:
        """Whether the token was issued to this ServiceAccount, which has the name now.

        The uid decides. A token is not older than its ServiceAccount either, within the leeway of the clocks.
        """
        if account is None or account.deletion_timestamp or account.uid != self.uid:
            return False
        created = account.creation_timestamp
        return created is None or created.timestamp() <= self.issued + LEEWAY_SECONDS


class SignedToken(Struct, frozen=True, gc=False):
    """A token that the cluster has signed for a ServiceAccount: what tells whose it was, and when it is valid."""

    namespace: str
    uid: str
    """The ServiceAccount's; "" where the token has none."""
    begins: float
    expires: float

    def is_refused_at(self, now: float) -> bool:
        """Whether an API server refuses it for its time alone, by any clock that differs no more than clocks may."""
        leeway = API_SERVER_LEEWAY_SECONDS + LEEWAY_SECONDS
        return not self.begins - leeway <= now <= self.expires + leeway


class TokenIssuer(Struct, frozen=True):
    """The issuer of a cluster's ServiceAccount tokens: its `iss`, and its public keys by `kid`."""

    issuer: str
    keys: dict[str, jwt.PyJWK]


class _Reference(Struct, frozen=True):
    name: str = ""
    uid: str = ""


class _BoundObjects(Struct, frozen=True):
    """The claim of the API server: the objects that the token is bound to."""

    namespace: str = ""
    serviceaccount: _Reference = _Reference()


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    iat: float
    exp: float
    nbf: float | None = None
    bound: _BoundObjects = field(name="kubernetes.io", default=_BoundObjects())


class _SignedClaims(Struct, frozen=True):
    """What is read of any token of a ServiceAccount. Legacy tokens have a claim of their own for the uid, and no `exp`."""

    sub: str
    exp: float = float("inf")
    nbf: float = 0.0
    iat: float = 0.0
    bound: _BoundObjects = field(name="kubernetes.io", default=_BoundObjects())
    legacy_uid: str = field(name="kubernetes.io/serviceaccount/service-account.uid", default="")


class _Discovery(Struct, frozen=True):
    issuer: str


class _KeySet(Struct, frozen=True):
    keys: list[dict[str, Any]]


def token_issuer(discovery: bytes, key_set: bytes) -> TokenIssuer:
    """The issuer of a discovery document and a JWK Set, without keys for other uses. Raises DecodeError."""
    keys = map(_key, msgspec.json.decode(key_set, type=_KeySet).keys)
    return TokenIssuer(
        issuer=msgspec.json.decode(discovery, type=_Discovery).issuer,
        keys={key.key_id: key for key in keys if key and key.key_id and key.algorithm_name in ALGORITHMS},
    )


def read_assertion(token: str, issuer: TokenIssuer, audience: str, now: float) -> Assertion | AssertionFailure:
    """The assertion of a token, or the reason why it is not accepted; `now` in seconds since the epoch."""
    kid = key_id(token)
    if kid is None:
        return AssertionFailure.NOT_GENUINE
    key = issuer.keys.get(kid)
    if key is None:
        return AssertionFailure.KEY_UNKNOWN
    claims = _claims(token, key)
    if claims is None:
        return AssertionFailure.NOT_GENUINE
    failure = next((failure for failure, holds in _CHECKS.items() if not holds(claims, issuer, audience, now)), None)
    return failure or _assertion(claims)


def signed_token(token: str, issuer: TokenIssuer) -> SignedToken | None:
    """The token of a ServiceAccount that a key of this issuer has signed, whatever else it says; else None."""
    key = issuer.keys.get(key_id(token) or "")
    if key is None:
        return None
    try:
        verified = jwt.decode(token, key, algorithms=[key.algorithm_name], options=_OPTIONS | {"require": ["sub"]})
        claims = msgspec.convert(verified, _SignedClaims)
    except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
        return None
    subject = _SUBJECT.fullmatch(claims.sub)
    uid = claims.bound.serviceaccount.uid or claims.legacy_uid
    return SignedToken(subject[1], uid, max(claims.iat, claims.nbf), claims.exp) if subject else None


def _assertion(claims: _Claims) -> Assertion | AssertionFailure:
    subject, bound = _SUBJECT.fullmatch(claims.sub), claims.bound
    if subject is None:
        return AssertionFailure.OF_NO_WORKLOAD
    account = bound.serviceaccount
    if not account.uid or subject.groups() != (bound.namespace, account.name):
        return AssertionFailure.WITHOUT_UID
    return Assertion(Workload(*subject.groups()), account.uid, claims.iat, claims.exp)


def _key(jwk: dict[str, Any]) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(jwk) if jwk.get("kty") in {"RSA", "EC"} else None
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _claims(token: str, key: jwt.PyJWK) -> _Claims | None:
    """The claims of a token that this key has signed with its algorithm; None for any other token."""
    try:
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name], options=_OPTIONS)
        return msgspec.convert(claims, _Claims)
    except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
        return None


_Check = Callable[[_Claims, TokenIssuer, str, float], bool]
_CHECKS: dict[AssertionFailure, _Check] = {
    AssertionFailure.OF_ANOTHER_ISSUER: lambda claims, issuer, _audience, _now: claims.iss == issuer.issuer,
    AssertionFailure.FOR_ANOTHER_AUDIENCE: lambda claims, _issuer, audience, _now: claims.aud in (audience, [audience]),
    AssertionFailure.EXPIRED: lambda claims, _issuer, _audience, now: now < claims.exp + LEEWAY_SECONDS,
    AssertionFailure.NOT_YET_VALID: lambda claims, _issuer, _audience, now: (
        max(claims.iat, claims.nbf or 0) <= now + LEEWAY_SECONDS
    ),
    AssertionFailure.LIVES_TOO_LONG: lambda claims, _issuer, _audience, _now: claims.exp - claims.iat <= MAX_LIFETIME_SECONDS,
}
"""RFC 7523, section 3, in the order in which they are told; each is stated so that a NaN fails it."""
