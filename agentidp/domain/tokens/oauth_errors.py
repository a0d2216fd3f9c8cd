"""OAuth errors: exceptions with a code, a description for the client's developer, and what HTTP says about them.

The codes are those of RFC 6749, section 5.2, RFC 6750, section 3.1, and RFC 8707, section 2; `temporarily_unavailable` (RFC
6749, section 4.1.2.1) is what 429 and 503 carry. No description may tell which part of a client's authentication was wrong.
An error is built where it is raised: an exception that is raised twice would keep the frames of both requests.
"""

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


class OAuthError(Exception):
    """The request is refused; `retry_after` is in seconds, `headers` are further ones."""

    def __init__(
        self,
        error: ErrorCode,
        description: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        retry_after: int | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.retry_after = retry_after
        self.headers = headers


def invalid_request(description: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> OAuthError:
    """The request is not well-formed (RFC 6749, section 5.2)."""
    return OAuthError(ErrorCode.INVALID_REQUEST, description, status)


def invalid_client() -> OAuthError:
    """The one answer to an unknown client, a wrong secret, a suspended agent, a revoked or an expired credential."""
    return OAuthError(ErrorCode.INVALID_CLIENT, "Client authentication failed.", HTTPStatus.UNAUTHORIZED)


def invalid_token() -> OAuthError:
    """The answer to a bearer token that was not issued here, has expired or was revoked, or whose agent may have none."""
    return OAuthError(ErrorCode.INVALID_TOKEN, "The access token is not good.", HTTPStatus.UNAUTHORIZED)


def insufficient_scope(scope: str) -> OAuthError:
    """The access token is valid and lacks this scope (RFC 6750, section 3.1)."""
    description = f"The access token needs the scope {scope}."
    return OAuthError(ErrorCode.INSUFFICIENT_SCOPE, description, HTTPStatus.FORBIDDEN)


def unavailable(description: str, retry_after: int) -> OAuthError:
    """Nothing is wrong with the request; it may succeed after so many seconds."""
    return OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, HTTPStatus.SERVICE_UNAVAILABLE, retry_after)


def out_of_touch() -> OAuthError:
    """The answer to whoever wants what only a fresh cluster cache can give."""
    return unavailable("This service is not in touch with its API server.", 5)


def too_many_requests(description: str, retry_after: int, headers: tuple[tuple[str, str], ...] = ()) -> OAuthError:
    """The client has reached one of its limits."""
    return OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, HTTPStatus.TOO_MANY_REQUESTS, retry_after, headers)


def server_error() -> OAuthError:
    """A defect of this service; the description tells nothing of it."""
    description = "The server failed; its log says more."
    return OAuthError(ErrorCode.SERVER_ERROR, description, HTTPStatus.INTERNAL_SERVER_ERROR)
