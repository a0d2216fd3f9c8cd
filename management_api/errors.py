"""Refusals as values: a code for programs, a sentence for people, and what HTTP says about it. Written out in `http.errors`."""

from enum import StrEnum
from http import HTTPStatus
from typing import Any


class Code(StrEnum):
    """The `code` of an answer; a value never changes its meaning."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    AGENT_NOT_ACTIVE = "AGENT_NOT_ACTIVE"
    AGENT_NOT_FOUND = "AGENT_NOT_FOUND"
    CREDENTIAL_NOT_FOUND = "CREDENTIAL_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CREDENTIAL_ALREADY_REVOKED = "CREDENTIAL_ALREADY_REVOKED"
    AGENT_ALREADY_DECOMMISSIONED = "AGENT_ALREADY_DECOMMISSIONED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    UNAVAILABLE = "UNAVAILABLE"


class ApiFailure(Exception):
    """The request is refused. Neither message nor details hold a secret, or anything that the caller may not know."""

    def __init__(
        self,
        status: HTTPStatus,
        code: Code,
        message: str,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.headers = headers or {}


def invalid(**fields: str) -> ApiFailure:
    """The request says something that cannot be: the field, and what is wrong with it."""
    return ApiFailure(HTTPStatus.BAD_REQUEST, Code.VALIDATION_ERROR, "The request is not valid.", dict(fields))


def no_token() -> ApiFailure:
    """Nobody says who asks. A challenge without an error (RFC 6750, section 3.1)."""
    message = "Send one header: Authorization: Bearer and an access token."
    return ApiFailure(HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED, message, headers=_challenge())


def unauthorized() -> ApiFailure:
    """Nobody knows who asks; which part of the token was wrong is only logged."""
    headers = _challenge(', error="invalid_token"')
    return ApiFailure(HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED, "The bearer token is not good.", headers=headers)


def insufficient_scope(needed: str) -> ApiFailure:
    """The access token is good, but has not this scope (RFC 6750, section 3.1)."""
    headers = _challenge(f', error="insufficient_scope", scope="{needed}"')
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"The access token needs the scope {needed}.", headers=headers)


def forbidden(message: str) -> ApiFailure:
    """The caller is known, and may not do this."""
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, message)


def agent_not_active(message: str) -> ApiFailure:
    """Only an active agent gets secrets."""
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.AGENT_NOT_ACTIVE, message)


def agent_not_found(agent_id: str) -> ApiFailure:
    """There is none that this caller may know of."""
    return ApiFailure(HTTPStatus.NOT_FOUND, Code.AGENT_NOT_FOUND, "There is no such agent.", {"agentId": agent_id})


def credential_not_found(credential_id: str) -> ApiFailure:
    """This agent has none of this id."""
    message = "This agent has no such credential."
    return ApiFailure(HTTPStatus.NOT_FOUND, Code.CREDENTIAL_NOT_FOUND, message, {"credentialId": credential_id})


def already_revoked(credential_id: str) -> ApiFailure:
    """Revoked is for ever."""
    message = "The credential is revoked already."
    return ApiFailure(HTTPStatus.CONFLICT, Code.CREDENTIAL_ALREADY_REVOKED, message, {"credentialId": credential_id})


def already_decommissioned(agent_id: str) -> ApiFailure:
    """Decommissioned is for ever."""
    message = "The agent is decommissioned already."
    return ApiFailure(HTTPStatus.CONFLICT, Code.AGENT_ALREADY_DECOMMISSIONED, message, {"agentId": agent_id})


def too_large() -> ApiFailure:
    """More than any request needs."""
    return ApiFailure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.PAYLOAD_TOO_LARGE, "The body is too large.")


def not_json() -> ApiFailure:
    """A body in another form."""
    return ApiFailure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.UNSUPPORTED_MEDIA_TYPE, "Send JSON as application/json.")


def unavailable(message: str, retry_after: int = 1, **details: Any) -> ApiFailure:
    """Not now; says whether something was done."""
    headers = {"Retry-After": str(retry_after)}
    return ApiFailure(HTTPStatus.SERVICE_UNAVAILABLE, Code.UNAVAILABLE, message, details, headers)


def _challenge(error: str = "") -> dict[str, str]:
    """How to authenticate, with every refusal of a token (RFC 6750, section 3)."""
    return {"WWW-Authenticate": f'Bearer realm="agentidp"{error}'}
