"""Error handlers: every error is answered as `{"code", "message", "details"}`. What failed inside is logged, never answered."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from agentidp.kube.errors import ApiError, Forbidden, Invalid
from agentidp.runtime.logs import LogLimit
from management_api.errors import ApiFailure, Code, invalid, unavailable

log = structlog.get_logger()

INTERNAL_ERROR = ApiFailure(HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL_ERROR, "The server failed; its log says more.")
STATIC_FILE_METHODS = {"GET"}
PLACES = {"body", "query", "path", "header"}
NO_SUCH_PATH = ApiFailure(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no such path.")

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
"""What a field of this API may be called. No secret that this API makes matches: its prefix has underscores."""


def error_response(failure: ApiFailure) -> Response:
    """Return the response of a failure."""
    body = msgspec.json.encode({"code": failure.code.value, "message": failure.message, "details": failure.details})
    return Response(body, failure.status, failure.headers, media_type="application/json")


def add_error_handlers(app: FastAPI, forms: Mapping[str, str]) -> None:
    """Let the app answer all its errors, and those of the framework, in this form.

    `forms` has a sentence with an example for each field of a request that has a regular expression.
    """
    log_limit = LogLimit()

    @app.exception_handler(ApiFailure)
    async def api_failure(_: Request, failure: ApiFailure) -> Response:
        return error_response(failure)

    @app.exception_handler(RequestValidationError)
    async def validation_error(_: Request, error: RequestValidationError) -> Response:
        return error_response(invalid(**_details(error, forms)))

    @app.exception_handler(ApiError)
    async def api_server_error(_: Request, error: ApiError) -> Response:
        return error_response(_failure_of(error, log_limit))

    @app.exception_handler(Exception)
    async def internal_error(_: Request, __: Exception) -> Response:
        """Starlette raises the exception again after this answer, and the middleware logs it."""
        return error_response(INTERNAL_ERROR)

    @app.exception_handler(HTTPException)
    async def routing_error(request: Request, error: HTTPException) -> Response:
        match error.status_code:
            case HTTPStatus.METHOD_NOT_ALLOWED:
                return error_response(_not_allowed(app, request))
            case HTTPStatus.BAD_REQUEST:  # not UTF-8, or nested too deep
                return error_response(invalid(body="It is not valid JSON."))
            case _:
                return error_response(NO_SUCH_PATH)


def _details(invalid_request: RequestValidationError, forms: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with each field, without its value: that may be a secret in the wrong field."""
    return {_field(error["loc"]): _problem(error, forms) for error in invalid_request.errors()}


def _problem(error: Mapping[str, Any], forms: Mapping[str, str]) -> str:
    """Return the words of the framework, or for a regular expression a sentence with an example."""
    if error["type"] == "string_pattern_mismatch":
        return forms.get(str(_parts(error["loc"])[0]), "It does not have the form that the API's documentation describes.")
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _field(path: tuple[str | int, ...]) -> str:
    """Return the field's name, or "body" where it has none, or none to repeat: a key may be a secret in the wrong place."""
    parts = _parts(path)
    is_named = bool(parts) and isinstance(parts[0], str)
    is_harmless = all(isinstance(part, int) or _FIELD_NAME.fullmatch(part) for part in parts)
    return ".".join(map(str, parts)) if is_named and is_harmless else "body"


def _parts(path: tuple[str | int, ...]) -> list[str | int]:
    return [part for part in path if part not in PLACES]


def _failure_of(error: ApiError, log_limit: LogLimit) -> ApiFailure:
    """Return what an error of the API server means to the caller. A right that this API lacks is for the log."""
    if isinstance(error, Invalid):
        return invalid(resource=error.message)
    if isinstance(error, Forbidden) and not error.is_about_rights:
        return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"The cluster refuses it: {error.message}")
    if (left_out := log_limit.take()) is not None:
        log.warning("the API server did not do what it was asked", why=str(error), left_out_before=left_out)
    return unavailable("The API server did not answer as it should: read with GET whether something was done.")


def _not_allowed(app: FastAPI, request: Request) -> ApiFailure:
    """405 with the methods of the path in Allow (RFC 9110, section 15.5.6)."""
    matching = (route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods: set[str] = set().union(*(getattr(route, "methods", None) or () for route in matching)) or STATIC_FILE_METHODS
    message = "This path has no such method."
    headers = {"Allow": ", ".join(sorted(methods))}
    return ApiFailure(HTTPStatus.METHOD_NOT_ALLOWED, Code.METHOD_NOT_ALLOWED, message, headers=headers)
