"""Errors that callers get: a code for programs, a sentence for people, an HTTP status. `http.error_handlers` writes them."""

from enum import StrEnum
from http import HTTPStatus
from typing import Any

from agentidp.domain.identity.clients import is_client_id


class Code(StrEnum):
    """The `code` of an error; a value never changes its meaning."""

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
    """The request fails. Message and details have no secret, and nothing that the caller may not know."""

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
    """400: these fields are not valid, each with what is wrong."""
    return ApiFailure(HTTPStatus.BAD_REQUEST, Code.VALIDATION_ERROR, "The request is not valid.", dict(fields))


def no_token() -> ApiFailure:
    """401: the request has no token. The challenge has no error code then (RFC 6750, section 3.1)."""
    message = "Send one header: Authorization: Bearer and an access token."
    return ApiFailure(HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED, message, headers=_challenge())


def unauthorized() -> ApiFailure:
    """401: the token is not valid (RFC 6750, section 3.1). Only the log says why."""
    headers = _challenge(', error="invalid_token"')
    return ApiFailure(HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED, "The bearer token is not good.", headers=headers)


def insufficient_scope(scope: str) -> ApiFailure:
    """403: the access token is valid, but lacks this scope (RFC 6750, section 3.1)."""
    headers = _challenge(f', error="insufficient_scope", scope="{scope}"')
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"The access token needs the scope {scope}.", headers=headers)


def forbidden(message: str) -> ApiFailure:
    """403: the caller is authenticated, and may not do this."""
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, message)


def agent_not_active(message: str) -> ApiFailure:
    """403: only an active agent gets secrets."""
    return ApiFailure(HTTPStatus.FORBIDDEN, Code.AGENT_NOT_ACTIVE, message)


def agent_not_found(agent_id: str) -> ApiFailure:
    """404: no such agent, or none that this caller may read."""
    return ApiFailure(HTTPStatus.NOT_FOUND, Code.AGENT_NOT_FOUND, "There is no such agent.", _id(agentId=agent_id))


def credential_not_found(credential_id: str) -> ApiFailure:
    """404: the agent has no credential of this id."""
    message = "This agent has no such credential."
    return ApiFailure(HTTPStatus.NOT_FOUND, Code.CREDENTIAL_NOT_FOUND, message, _id(credentialId=credential_id))


def already_revoked(credential_id: str) -> ApiFailure:
    """409: the credential is revoked for good."""
    message = "The credential is revoked already."
    return ApiFailure(HTTPStatus.CONFLICT, Code.CREDENTIAL_ALREADY_REVOKED, message, {"credentialId": credential_id})


def already_decommissioned(agent_id: str) -> ApiFailure:
    """409: the agent is decommissioned for good."""
    message = "The agent is decommissioned already."
    return ApiFailure(HTTPStatus.CONFLICT, Code.AGENT_ALREADY_DECOMMISSIONED, message, {"agentId": agent_id})


def too_large() -> ApiFailure:
    """413: the body exceeds `Limits.max_body_bytes`."""
    return ApiFailure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.PAYLOAD_TOO_LARGE, "The body is too large.")


def not_json() -> ApiFailure:
    """415: the body is not JSON by its Content-Type."""
    return ApiFailure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.UNSUPPORTED_MEDIA_TYPE, "Send JSON as application/json.")


def unavailable(message: str, retry_after: int = 1, **details: Any) -> ApiFailure:
    """503: try again later. The message says whether something was done."""
    headers = {"Retry-After": str(retry_after)}
    return ApiFailure(HTTPStatus.SERVICE_UNAVAILABLE, Code.UNAVAILABLE, message, details, headers)


def _id(**ids: str) -> dict[str, str]:
    """Return the ids that have the form of one: anything else in a path may be a secret in the wrong place."""
    return {name: text for name, text in ids.items() if is_client_id(text)}


def _challenge(error: str = "") -> dict[str, str]:
    """Return the challenge that every refusal of a token has (RFC 6750, section 3)."""
    return {"WWW-Authenticate": f'Bearer realm="agentidp"{error}'}
