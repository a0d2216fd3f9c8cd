"""Compact JWS (RFC 7515, section 3.1): what a token says of itself before anybody has verified it.

Flows in: any text. Flows out: its header and claims; empty ones where it is no compact JWS. PyJWT accepts base64 with padding,
and the standard does not (section 2), so every token is read here first. What is read only decides who verifies the token.
"""

from typing import Any

import jwt

_PADDING = "="


def unverified_header(token: str) -> dict[str, Any]:
    """The header of a compact JWS; {} of any other text."""
    try:
        return {} if _PADDING in token else jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT; {} of any other text."""
    try:
        claims: dict[str, Any] = {} if _PADDING in token else jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}
    return claims


def key_id(token: str) -> str | None:
    """The `kid` of a token; None where it has none, or is no compact JWS."""
    kid = unverified_header(token).get("kid")
    return kid if isinstance(kid, str) else None


def is_padded(token: str) -> bool:
    """Whether this would be a compact JWS but for its padding: no API server accepts it either."""
    return _PADDING in token and bool(unverified_header(token.replace(_PADDING, "")))
