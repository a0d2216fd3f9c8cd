"""Grants: what a token of this client says for this request, prepared so that a token only adds times and an id.

A grant is evaluated against the agent and its organization (RFC 6749, section 3.3, and RFC 8707, section 2). Its claims (RFC
9068, section 2.2) and the end of the response (RFC 6749, section 5.1) are encoded once. Preparing takes two microseconds, so
nothing is kept here; the request cache keeps the grants of whole requests.
"""

import os

import msgspec
from msgspec import Struct

from agentidp.domain.tokens.access_tokens import PreparedClaims, prepare_claims
from agentidp.domain.tokens.grants import TokenRequest, evaluate_grant
from token_service.authentication.result import AuthenticatedClient

RESPONSE_BEGIN = b'{"access_token":"'
"""The response before the token."""


class PreparedGrant(Struct, frozen=True, gc=False):
    """The claims of a token, and the part of the response that follows the token."""

    claims: PreparedClaims
    """Base64url, complete but for the times and the id."""
    response_end: bytes
    """JSON from the end of the token on: type, lifetime and scope."""


def prepare_grant(client: AuthenticatedClient, request: TokenRequest, issuer: str) -> PreparedGrant:
    """What this client is granted for this request. Raises OAuthError where it requests more than it may have."""
    grant = evaluate_grant(request, client.agent, client.organization, issuer)
    claims = prepare_claims(issuer, client.agent, client.credential_id, grant)
    members = {"token_type": "Bearer", "expires_in": claims.lifetime} | ({"scope": grant.scope} if grant.scope else {})
    return PreparedGrant(claims, b'",' + msgspec.json.encode(members)[1:])


def new_jti() -> str:
    """A random UUID (RFC 9562, version 4), which may name a TokenRevocation."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
