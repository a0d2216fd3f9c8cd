"""Access tokens: JWTs of RFC 9068, written and read.

Only the times and the id of a token are new each time. All other claims are encoded once, as `PreparedClaims`, and the key is
loaded once. Any JWT library reads the result.
"""

import binascii
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from agentidp.domain.identity.clients import ClientAgent
from agentidp.domain.tokens.compact_jws import unverified_header
from agentidp.domain.tokens.grants import Grant
from agentidp.domain.tokens.signing_keys import Algorithm, PrivateKey, SigningKey

TYPE = "at+jwt"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ECDSA = ec.ECDSA(SHA256())
_PKCS1 = padding.PKCS1v15()
_READ_OPTIONS: Any = {
    "require": ["iss", "sub", "client_id", "aud", "jti", "iat", "exp"],
    "verify_aud": False,  # the resource server's decision, not that of introspection
    "verify_exp": False,  # decided by the caller's clock
    "verify_iat": False,
}


class PreparedClaims(Struct, frozen=True, gc=False):
    """The claims that all tokens of one grant share: the beginning of a base64url payload, and the `lifetime` in seconds."""

    payload: bytes
    lifetime: int


def prepare_claims(issuer: str, agent: ClientAgent, credential_id: str | None, grant: Grant) -> PreparedClaims:
    """The claims of RFC 9068, section 2.2, with `credential_id` and `organization_id` where there is one."""
    audience = grant.audience[0] if len(grant.audience) == 1 else list(grant.audience)
    claims: dict[str, Any] = {"iss": issuer, "sub": agent.agent_id, "client_id": agent.agent_id, "aud": audience}
    if grant.scope:
        claims["scope"] = grant.scope
    if credential_id:
        claims["credential_id"] = credential_id
    if agent.organization_id:
        claims["organization_id"] = agent.organization_id
    begin = msgspec.json.encode(claims)[:-1] + b","
    whole_groups = begin + b" " * (-len(begin) % 3)  # so the rest can be encoded separately
    return PreparedClaims(_base64url(whole_groups), agent.token_lifetime)


class TokenWriter:
    """Writes and signs tokens with one key."""

    def __init__(self, key: SigningKey, private_key: PrivateKey) -> None:
        self.key = key
        self.private_key = private_key
        header = {"alg": key.algorithm, "kid": key.kid, "typ": TYPE}
        self._header = _base64url(msgspec.json.encode(header)) + b"."

    def write(self, claims: PreparedClaims, issued_at: int, jti: str) -> bytes:
        """A signed token, in JWS compact form."""
        rest = b'"iat":%d,"exp":%d,"jti":"%b"}' % (issued_at, issued_at + claims.lifetime, jti.encode())
        signed = self._header + claims.payload + _base64url(rest)
        return signed + b"." + _base64url(self._signature(signed))

    def _signature(self, signed: bytes) -> bytes:
        """The signature of RFC 7518, section 3: for ES256 two numbers of 32 bytes, not DER."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(signed, _PKCS1, SHA256())
        r, s = decode_dss_signature(self.private_key.sign(signed, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class AccessToken(Struct, frozen=True, kw_only=True):
    """The claims of an access token; `audience` and `scope` as they are in it."""

    client_id: str
    jti: str
    issued_at: int = msgspec.field(name="iat")
    expires: int = msgspec.field(name="exp")
    audience: str | list[str] = msgspec.field(name="aud")
    scope: str | None = None
    credential_id: str | None = None
    organization_id: str | None = None

    def is_meant_for(self, audience: str) -> bool:
        """Whether the token is for the resource server of this name (RFC 9068, section 4)."""
        return audience in ([self.audience] if isinstance(self.audience, str) else self.audience)


class PublicKey(Struct, frozen=True):
    """A public key that verifies tokens."""

    algorithm: Algorithm
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def read_token(token: str, keys: dict[str, PublicKey], issuer: str) -> AccessToken | None:
    """The claims of an access token of this issuer; None for any other text. Its expiry is not checked."""
    header = unverified_header(token)
    public = keys.get(str(header.get("kid")))
    if public is None or str(header.get("typ")).lower() not in {TYPE, f"application/{TYPE}"}:
        return None
    try:
        claims = jwt.decode(token, public.key, algorithms=[public.algorithm], issuer=issuer, options=_READ_OPTIONS)
        return msgspec.convert(claims, AccessToken)
    except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
        return None


def _base64url(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, section 2)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=")
