"""The access token (RFC 9068) by which the operator authenticates at the token service to read when secrets were last used."""

import uuid
from datetime import timedelta

import jwt

from agent_operator.clock import now
from agentidp.domain.tokens.access_tokens import TYPE
from agentidp.domain.tokens.signing_keys import KeySet

LIFETIME = timedelta(minutes=1)


def bearer_token(keys: KeySet, issuer: str, subject: str, scope: str) -> str:
    """Return a token of this scope for the issuer's own services. Raises LookupError where no key signs yet."""
    issued_at = now()
    key = keys.signing(issued_at)
    if key is None:
        raise LookupError("there is no signing key yet")
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": subject,
        "client_id": subject,
        "scope": scope,
        "jti": str(uuid.uuid4()),
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
    }
    return jwt.encode(claims, key.load(), key.algorithm.value, {"typ": TYPE, "kid": key.kid})
