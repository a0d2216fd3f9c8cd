"""OAuth error answers as values: what went wrong, in words for the client's developer, and what HTTP says about it.

The codes are those of RFC 6749, section 5.2, RFC 6750, section 3.1, and RFC 8707, section 2; `temporarily_unavailable` (RFC
6749, section 4.1.2.1) is what 429 and 503 carry. Nothing here may tell which part of a client's authentication was wrong.
"""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class ErrorCode(StrEnum):
    """The `error` of an answer; a value never changes its meaning."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 RFC 6750, section 3.1
    INSUFFICIENT_SCOPE = "insufficient_scope"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    SERVER_ERROR = "server_error"


@dataclass(frozen=True, slots=True)
class OAuthError:
    """One refusal; `retry_after` is in seconds, `headers` are further ones."""

    error: ErrorCode
    description: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    retry_after: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


def invalid_request(description: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> OAuthError:
    """The request is not well-formed."""
    return OAuthError(ErrorCode.INVALID_REQUEST, description, status)


def insufficient_scope(scope: str) -> OAuthError:
    """The access token is good, but has not this scope."""
    description = f"The access token needs the scope {scope}."
    return OAuthError(ErrorCode.INSUFFICIENT_SCOPE, description, HTTPStatus.FORBIDDEN)


def unavailable(description: str, retry_after: int) -> OAuthError:
    """Nothing is wrong with the request; it may succeed after so many seconds."""
    return OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, HTTPStatus.SERVICE_UNAVAILABLE, retry_after)


def too_many_requests(description: str, retry_after: int, headers: tuple[tuple[str, str], ...] = ()) -> OAuthError:
    """This client has had its share for now."""
    return OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, HTTPStatus.TOO_MANY_REQUESTS, retry_after, headers)


INVALID_CLIENT = OAuthError(ErrorCode.INVALID_CLIENT, "Client authentication failed.", HTTPStatus.UNAUTHORIZED)
"""The one answer to an unknown client, a wrong secret, a suspended agent, a revoked or an expired credential."""

INVALID_TOKEN = OAuthError(ErrorCode.INVALID_TOKEN, "The access token is not good.", HTTPStatus.UNAUTHORIZED)
"""The answer to a bearer token that was not issued here, has expired or was revoked, or whose agent may have none."""

OUT_OF_TOUCH = unavailable("This service is not in touch with its API server.", 5)
"""The answer to whoever wants what only fresh knowledge can give."""

SERVER_ERROR = OAuthError(ErrorCode.SERVER_ERROR, "The server failed; its log says more.", HTTPStatus.INTERNAL_SERVER_ERROR)
"""A defect of ours; nothing of the inside is told."""
