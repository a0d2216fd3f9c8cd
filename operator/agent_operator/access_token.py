"""An access token for the operator itself, by which the token service knows who asks for usage (RFC 9068)."""

import uuid
from datetime import timedelta

import jwt

from agent_operator.clock import now
from agentidp.domain.tokens.access_tokens import TYPE
from agentidp.domain.tokens.signing_keys import KeySet

LIFETIME = timedelta(minutes=1)


def bearer_token(keys: KeySet, issuer: str, subject: str, scope: str) -> str:
    """A token of this scope, for this issuer's own services. Raises LookupError where no key signs yet."""
    moment = now()
    key = keys.signing(moment)
    if key is None:
        raise LookupError("there is no signing key yet")
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": subject,
        "client_id": subject,
        "scope": scope,
        "jti": str(uuid.uuid4()),
        "iat": moment,
        "exp": moment + LIFETIME,
    }
    return jwt.encode(claims, key.load(), key.algorithm.value, {"typ": TYPE, "kid": key.kid})
