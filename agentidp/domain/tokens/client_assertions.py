"""Client assertions: tokens of Kubernetes ServiceAccounts, shown in place of a secret (RFC 7523, sections 2.2 and 3).

The cluster signs them. Their `sub` names a ServiceAccount, and `kubernetes.io` has its uid: the name can be used again, the uid
cannot. Which agent it is, an Agent says in `spec.workloads`. What is right about a token is decided here, by keys and by a
ServiceAccount that were fetched elsewhere.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import jwt
import msgspec
from msgspec import Struct, field

from agentidp.domain.resources.meta import ObjectMeta

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""What API servers sign with; never a shared secret, and never nothing (RFC 8725, section 3.1)."""
LEEWAY_SECONDS = 30
"""The API server's clock may not be ours."""
MOST_SECONDS = 86_400
"""Longer lives are refused (RFC 7523, section 3, item 4): nothing revokes such a token but its end."""

_SUBJECT = re.compile(r"system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)")
_OPTIONS: Any = {
    "require": ["iss", "sub", "aud", "iat", "exp"],
    "verify_aud": False,  # these are judged below, by a clock that is passed in and with reasons that can be told apart
    "verify_iss": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class AssertionFailure(StrEnum):
    """Why an assertion is not accepted: for the log and the metrics, never for the caller."""

    NOT_GENUINE = "AssertionNotGenuine"
    """It is no JWT, lacks a claim, or is not signed as the key says that it names."""
    KEY_UNKNOWN = "AssertionKeyUnknown"
    """It names a key that the cluster's API server does not have."""
    OF_ANOTHER_ISSUER = "AssertionOfAnotherIssuer"
    """Its `iss` is not the issuer of this cluster's ServiceAccount tokens."""
    FOR_ANOTHER_AUDIENCE = "AssertionForAnotherAudience"
    """Its `aud` is not our issuer, and that alone."""
    EXPIRED = "AssertionExpired"
    """Its `exp` has passed."""
    NOT_YET_VALID = "AssertionNotYetValid"
    """Its `nbf` or `iat` is yet to come."""
    LIVES_TOO_LONG = "AssertionLivesTooLong"
    """From `iat` to `exp` is more than a day."""
    OF_NO_WORKLOAD = "AssertionOfNoWorkload"
    """Its `sub` is not a ServiceAccount."""
    WITHOUT_UID = "AssertionWithoutUid"
    """Its claim `kubernetes.io` has no uid for the ServiceAccount that `sub` names."""


class Workload(Struct, frozen=True, gc=False):
    """Where a ServiceAccount is: its namespace and its name."""

    namespace: str
    service_account: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service_account}"


class Assertion(Struct, frozen=True, gc=False):
    """The ServiceAccount that a token was issued to, by name and by uid; and from when to when, in seconds since the epoch."""

    workload: Workload
    uid: str
    issued: float
    expires: float

    def is_of(self, account: ObjectMeta | None) -> bool:
        """Whether the ServiceAccount that has the name now is the one that the token was issued to.

        A uid is enough to tell. No token is older than its ServiceAccount either, give or take what clocks differ by.
        """
        if account is None or account.deletion_timestamp or account.uid != self.uid:
            return False
        created = account.creation_timestamp
        return created is None or created.timestamp() <= self.issued + LEEWAY_SECONDS


class TokenIssuer(Struct, frozen=True):
    """Who signs the ServiceAccount tokens of a cluster: its `iss`, and its public keys by `kid`."""

    issuer: str
    keys: dict[str, jwt.PyJWK]


class _Reference(Struct, frozen=True):
    name: str = ""
    uid: str = ""


class _Bound(Struct, frozen=True):
    """The claim that the API server adds: what the token is bound to."""

    namespace: str = ""
    serviceaccount: _Reference = _Reference()


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    iat: float
    exp: float
    nbf: float | None = None
    bound: _Bound = field(name="kubernetes.io", default=_Bound())


class _Discovery(Struct, frozen=True):
    issuer: str


class _KeySet(Struct, frozen=True):
    keys: list[dict[str, Any]]


def token_issuer(discovery: bytes, key_set: bytes) -> TokenIssuer:
    """By the API server's discovery document and its JWK Set; keys that are not for us are left out. Raises DecodeError."""
    keys = map(_key, msgspec.json.decode(key_set, type=_KeySet).keys)
    return TokenIssuer(
        issuer=msgspec.json.decode(discovery, type=_Discovery).issuer,
        keys={key.key_id: key for key in keys if key and key.key_id and key.algorithm_name in ALGORITHMS},
    )


def key_id(token: str) -> str | None:
    """The `kid` that a token names, unverified; None where it names none, or is no JWT."""
    try:
        told = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    return told if isinstance(told, str) else None


def read_assertion(token: str, issuer: TokenIssuer, audience: str, now: float) -> Assertion | AssertionFailure:
    """Which workload has shown this token; `now` in seconds since the epoch."""
    named = key_id(token)
    if named is None:
        return AssertionFailure.NOT_GENUINE
    key = issuer.keys.get(named)
    if key is None:
        return AssertionFailure.KEY_UNKNOWN
    claims = _claims(token, key)
    if claims is None:
        return AssertionFailure.NOT_GENUINE
    flaw = next((flaw for flaw, is_right in _CHECKS.items() if not is_right(claims, issuer, audience, now)), None)
    return flaw or _assertion(claims)


def signed_workload(token: str, issuer: TokenIssuer) -> Workload | None:
    """The ServiceAccount that a token names which a key of this issuer has signed, whatever else it says; else None."""
    key = issuer.keys.get(key_id(token) or "")
    if key is None:
        return None
    try:
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name], options=_OPTIONS | {"require": ["sub"]})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    subject = _SUBJECT.fullmatch(claims["sub"])
    return Workload(*subject.groups()) if subject else None


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
    """What a token says that this key has signed, by the algorithm that the key is for."""
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
    AssertionFailure.LIVES_TOO_LONG: lambda claims, _issuer, _audience, _now: claims.exp - claims.iat <= MOST_SECONDS,
}
"""RFC 7523, section 3, in the order in which they are told; each is stated so that a NaN fails it."""
