"""Access tokens for people: what a JWT says (RFC 7519), not verified."""

import base64

import msgspec

from kubectl_agentidp.errors import CommandError


def as_json(body: bytes) -> str:
    """A JSON text, indented."""
    return msgspec.json.format(body, indent=2).decode()


def readable(token: str) -> str:
    """Header and claims as one JSON value. Raises Failure for a token that is no JWT."""
    try:
        header, claims, _ = token.split(".")
        shown = {"header": _decoded(header), "claims": _decoded(claims)}
    except ValueError as error:  # also what base64 and JSON raise
        raise CommandError("the token is not a JWT: it has no claims to show.") from error
    return as_json(msgspec.json.encode(shown))


def _decoded(part: str) -> object:
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
