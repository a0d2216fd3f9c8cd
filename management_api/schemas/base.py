"""What all documents have in common: camelCase, no unknown fields, enum values in lower case."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Responses = dict[int | str, dict[str, Any]]


class ResponseModel(BaseModel):
    """Something that is answered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


UNSAID: Any = None
"""The default of a field that may be left out; null is not the same, and is not taken."""


class RequestModel(BaseModel):
    """Something that is taken; a field that nobody knows is a mistake that the caller should hear of."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


def taken(example: dict[str, Any]) -> ConfigDict:
    """How OpenAPI describes it: with an example, and without a null that would not be taken."""

    def describe(schema: dict[str, Any]) -> None:
        schema["example"] = example
        for field in schema["properties"].values():
            if field.get("default", "") is None:
                del field["default"]

    return ConfigDict(json_schema_extra=describe)


class ErrorModel(ResponseModel):
    """Every refusal."""

    code: str
    message: str
    details: dict[str, Any]


def lower(value: StrEnum) -> str:
    """A value of a resource as this API writes it."""
    return value.value.lower()


def one_of(kind: type[StrEnum]) -> Callable[[str], str]:
    """Takes a value as this API writes it, and gives the resource's."""
    values = {lower(one): one.value for one in kind}

    def resource_value(text: str) -> str:
        if text not in values:
            raise ValueError(f"it should be one of {', '.join(values)}")
        return values[text]

    return resource_value


def schema_of(kind: type[StrEnum]) -> dict[str, Any]:
    """For OpenAPI."""
    return {"type": "string", "enum": [lower(one) for one in kind]}


_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "How to authenticate (RFC 6750)."},
    403: {"WWW-Authenticate": "The scope that the access token needs, where it is that (RFC 6750)."},
    429: {
        "Retry-After": "Seconds to wait.",
        "X-RateLimit-Limit": "How many requests at once.",
        "X-RateLimit-Remaining": "How many are left.",
        "X-RateLimit-Reset": "When to come back, in seconds since the epoch.",
    },
    503: {"Retry-After": "Seconds to wait."},
}
_WORDS = {
    400: "VALIDATION_ERROR: the details name the field and what is wrong.",
    401: "UNAUTHORIZED: no bearer token, or not a good one.",
    403: "FORBIDDEN: the caller may not do this. AGENT_NOT_ACTIVE: only an active agent gets secrets.",
    404: "AGENT_NOT_FOUND or CREDENTIAL_NOT_FOUND; also for those of other tenants.",
    409: "CREDENTIAL_ALREADY_REVOKED or AGENT_ALREADY_DECOMMISSIONED.",
    413: "PAYLOAD_TOO_LARGE.",
    415: "UNSUPPORTED_MEDIA_TYPE: send application/json.",
    429: "RATE_LIMIT_EXCEEDED.",
    503: "UNAVAILABLE: says that nothing was done, or that the outcome can be read with GET.",
}
READING = (400, 401, 403, 429, 503)
WRITING = (*READING, 413, 415)


def refusals(*statuses: int) -> Responses:
    """How OpenAPI describes these refusals."""
    return {
        status: {
            "model": ErrorModel,
            "description": _WORDS[status],
            "headers": {
                name: {"description": words, "schema": {"type": "string"}} for name, words in _HEADERS.get(status, {}).items()
            },
        }
        for status in sorted(statuses)
    }
