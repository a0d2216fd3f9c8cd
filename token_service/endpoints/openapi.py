"""The parts of the OpenAPI document that several endpoints share."""

from typing import Any

from agentidp.domain.tokens.oauth_errors import ErrorCode
from token_service.http.presented_credentials import JWT_BEARER

Responses = dict[int | str, dict[str, Any]]

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of this issuer."},
    "clientBasic": {"type": "http", "scheme": "basic", "description": "client_id and client_secret, each form-encoded."},
}

ERROR_SCHEMA: dict[str, Any] = {
    "title": "OAuthError",
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "enum": [code.value for code in ErrorCode]},
        "error_description": {"type": "string"},
    },
}

TEXT: dict[str, Any] = {"type": "string", "pattern": "^[^\\u0000]*$"}
"""What a parameter may be: anything without a NUL. One without a value is as good as not sent (RFC 6749, section 3.2)."""

CLIENT_FIELDS: dict[str, Any] = {
    "client_id": TEXT | {"description": "Where the client does not authenticate by HTTP Basic; beside an assertion optional."},
    "client_secret": TEXT | {"format": "password", "description": "Where the client does not authenticate otherwise."},
    "client_assertion_type": {"type": "string", "enum": [JWT_BEARER, ""], "description": "RFC 7523, section 2.2."},
    "client_assertion": TEXT
    | {
        "format": "password",
        "description": "A token of a Kubernetes ServiceAccount that the agent names, whose only audience is this issuer.",
    },
}

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}}
_ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The request is not right (RFC 6749, section 5.2).", {}),
    401: ("Client authentication failed.", _CHALLENGE),
    403: ("The access token has not the scope that it takes.", _CHALLENGE),
    408: ("The body did not come in time.", {}),
    413: ("The body is too large.", {}),
    429: ("Too many requests of this client.", _RETRY_AFTER),
    503: ("Not now; the request may succeed later.", _RETRY_AFTER),
}
FORM_ERRORS = (400, 401, 408, 413, 429, 503)
"""The errors that every form endpoint may answer."""


def json_response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A response with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def error_responses(*statuses: int) -> Responses:
    """The OAuth errors that an endpoint may answer."""
    errors = {status: _ERRORS[status] for status in statuses}
    return {status: {**json_response(text, ERROR_SCHEMA), "headers": headers} for status, (text, headers) in errors.items()}


def token_body() -> dict[str, Any]:
    """A form about a token; the caller may have a token of its own."""
    properties = {"token": TEXT | {"minLength": 1}, "token_type_hint": TEXT}
    return form_body(properties, ["token"], bearer=True)


def form_body(properties: dict[str, Any], required: list[str], *, bearer: bool = False) -> dict[str, Any]:
    """A form as request body, and the ways in which the caller may authenticate."""
    schema = {
        "type": "object",
        "required": required,
        "properties": properties | CLIENT_FIELDS,
        "propertyNames": TEXT,
        "additionalProperties": TEXT,
    }
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {
        "requestBody": {"required": True, "content": content},
        "security": [*([{"bearer": []}] if bearer else []), {"clientBasic": []}, {}],
    }
