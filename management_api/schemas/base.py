"""What all schemas have in common: camelCase, no unknown fields, enum values in lower case, RFC 3339 timestamps, errors."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from agentidp.domain.resources.meta import parse_rfc3339, rfc3339

LAST_YEAR = 2999
"""The custom resources take no later time."""
UNSET: Any = None
"""The default of an optional field; a request that has null there is not valid."""

Responses = dict[int | str, dict[str, Any]]


class ResponseModel(BaseModel):
    """The body of a response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RequestModel(BaseModel):
    """The body of a request. An unknown field is an error: it may be a misspelled one."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


def request_config(example: dict[str, Any]) -> ConfigDict:
    """Return the config of a request model: OpenAPI shows the example, and no null as the default of an optional field."""

    def describe(schema: dict[str, Any]) -> None:
        schema["example"] = example
        for field in schema["properties"].values():
            if field.get("default", "") is None:
                del field["default"]

    return ConfigDict(json_schema_extra=describe)


class ErrorModel(ResponseModel):
    """The body of every error."""

    code: str
    message: str
    details: dict[str, Any]


def lower(value: StrEnum) -> str:
    """Return a value of a resource as this API writes it."""
    return value.value.lower()


def one_of(kind: type[StrEnum]) -> Callable[[str], str]:
    """Return a validator that turns a value as this API writes it into the resource's."""
    values = {lower(member): member.value for member in kind}

    def resource_value(text: str) -> str:
        if text not in values:
            raise ValueError(f"it should be one of {', '.join(values)}")
        return values[text]

    return resource_value


def schema_of(kind: type[StrEnum]) -> dict[str, Any]:
    """Return the OpenAPI schema of the values as this API writes them."""
    return {"type": "string", "enum": [lower(member) for member in kind]}


def format_timestamp(timestamp: datetime) -> str:
    """Return the timestamp as RFC 3339 in UTC with milliseconds."""
    return rfc3339(timestamp, "milliseconds")


def future_timestamp(text: str) -> datetime:
    """Parse an RFC 3339 timestamp in the future. Raises ValueError with a message for the caller."""
    timestamp = parse_rfc3339(text)
    if timestamp is None:
        raise ValueError("it should be a time like 2030-01-31T12:00:00Z (RFC 3339)")
    if timestamp <= datetime.now(UTC):
        raise ValueError("it should be in the future")
    if timestamp.year > LAST_YEAR:
        raise ValueError(f"it should not be after the year {LAST_YEAR}")
    return timestamp


_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "How to authenticate (RFC 6750)."},
    403: {"WWW-Authenticate": "The scope that the access token lacks, if it lacks one (RFC 6750)."},
    429: {
        "Retry-After": "Seconds to wait.",
        "X-RateLimit-Limit": "Requests that may come at once.",
        "X-RateLimit-Remaining": "Requests that are left.",
        "X-RateLimit-Reset": "When a request is admitted again, in seconds since the epoch.",
    },
    503: {"Retry-After": "Seconds to wait."},
}
_DESCRIPTIONS = {
    400: "VALIDATION_ERROR: the details name the field and what is wrong.",
    401: "UNAUTHORIZED: no bearer token, or an invalid one.",
    403: "FORBIDDEN: the caller may not do this. AGENT_NOT_ACTIVE: only an active agent gets secrets.",
    404: "AGENT_NOT_FOUND or CREDENTIAL_NOT_FOUND; also for those of other tenants.",
    409: "CREDENTIAL_ALREADY_REVOKED or AGENT_ALREADY_DECOMMISSIONED.",
    413: "PAYLOAD_TOO_LARGE.",
    415: "UNSUPPORTED_MEDIA_TYPE: send application/json.",
    429: "RATE_LIMIT_EXCEEDED.",
    503: "UNAVAILABLE: the message says that nothing was done, or that GET has the outcome.",
}
READ_ERRORS = (400, 401, 403, 429, 503)
WRITE_ERRORS = (*READ_ERRORS, 413, 415)


def error_responses(*statuses: int) -> Responses:
    """Return how OpenAPI describes the errors of these statuses."""
    return {
        status: {
            "model": ErrorModel,
            "description": _DESCRIPTIONS[status],
            "headers": {
                name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.get(status, {}).items()
            },
        }
        for status in sorted(statuses)
    }
