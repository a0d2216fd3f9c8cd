"""What a token may carry: scopes and audiences that were asked for, against what the agent and its Organization allow."""

import re

from msgspec import Struct

from agentidp.domain.identity.clients import ClientAgent, ClientOrganization, allowed_scopes
from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+")


class TokenRequest(Struct, frozen=True, gc=False):
    """What a client asks for: `scope` as it was sent, None where it was not; any number of resources."""

    scope: str | None = None
    resources: tuple[str, ...] = ()


class Grant(Struct, frozen=True, gc=False):
    """What a token carries; `scope` is "" where the agent has none."""

    scope: str
    audience: tuple[str, ...]


def evaluate_grant(requested: TokenRequest, agent: ClientAgent, organization: ClientOrganization | None, issuer: str) -> Grant:
    """All that the agent may have, or the requested part of it. Raises OAuthError for anything beyond."""
    scope = _scope(requested.scope, allowed_scopes(agent, organization))
    return Grant(scope, _audience(requested.resources, agent.audiences or (issuer,)))


def _scope(requested: str | None, allowed: tuple[str, ...]) -> str:
    """RFC 6749, section 3.3: the order does not matter; without a requested scope, all allowed ones are granted."""
    if requested is None:
        return " ".join(allowed)
    if not _SCOPE.fullmatch(requested):
        raise OAuthError(ErrorCode.INVALID_SCOPE, "scope is not a list of scope tokens with one space between two.")
    scopes = dict.fromkeys(requested.split(" "))
    if not scopes.keys() <= set(allowed):
        raise OAuthError(ErrorCode.INVALID_SCOPE, "scope goes beyond what this client may have.")
    return " ".join(scopes)


def _audience(requested: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """RFC 8707, section 2: absolute URIs without a fragment, each of them allowed."""
    if not requested:
        return allowed
    if not all(_ABSOLUTE_URI.fullmatch(resource) for resource in requested):
        raise OAuthError(ErrorCode.INVALID_TARGET, "resource is not an absolute URI without a fragment.")
    if not set(requested) <= set(allowed):
        raise OAuthError(ErrorCode.INVALID_TARGET, "resource is not one that this client's tokens may be meant for.")
    return tuple(dict.fromkeys(requested))
