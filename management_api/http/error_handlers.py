"""The one form of every refusal: `{"code", "message", "details"}`. What went wrong inside is logged, never told."""

from http import HTTPStatus

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
OF_FILES = {"GET"}
NO_SUCH_PATH = ApiFailure(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is nothing here.")


def error_response(failure: ApiFailure) -> Response:
    """The answer that a failure is told with."""
    body = msgspec.json.encode({"code": failure.code.value, "message": failure.message, "details": failure.details})
    return Response(body, failure.status, failure.headers, media_type="application/json")


def add_error_handlers(app: FastAPI) -> None:
    """Let every error of the app, and of the framework, be answered in this form."""
    troubles = LogLimit()

    @app.exception_handler(ApiFailure)
    async def refused(_: Request, failure: ApiFailure) -> Response:
        return error_response(failure)

    @app.exception_handler(RequestValidationError)
    async def not_valid(_: Request, wrong: RequestValidationError) -> Response:
        return error_response(invalid(**_details(wrong)))

    @app.exception_handler(ApiError)
    async def not_done(_: Request, trouble: ApiError) -> Response:
        return error_response(_failure_of(trouble, troubles))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        """Raised again when this is sent, and logged by the edge."""
        return error_response(INTERNAL_ERROR)

    @app.exception_handler(HTTPException)
    async def not_routed(request: Request, wrong: HTTPException) -> Response:
        match wrong.status_code:
            case HTTPStatus.METHOD_NOT_ALLOWED:
                return error_response(_not_allowed(app, request))
            case HTTPStatus.BAD_REQUEST:  # not UTF-8, or nested too deep
                return error_response(invalid(body="It is no JSON that can be read."))
            case _:
                return error_response(NO_SUCH_PATH)


def _details(wrong: RequestValidationError) -> dict[str, str]:
    """What is wrong with each field, without the value: it may be a secret in the wrong place."""
    return {_field(error["loc"]): error["msg"].removeprefix("Value error, ") for error in wrong.errors()}


def _field(path: tuple[str | int, ...]) -> str:
    names = [str(one) for one in path if one not in {"body", "query", "path", "header"}]
    return ".".join(names) if names and not names[0].isdecimal() else "body"


def _failure_of(trouble: ApiError, troubles: LogLimit) -> ApiFailure:
    """What the API server's refusal means to the caller."""
    if isinstance(trouble, Invalid):
        return invalid(resource=trouble.message)
    if isinstance(trouble, Forbidden) and not trouble.is_about_rights:
        return ApiFailure(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"The cluster refuses it: {trouble.message}")
    if (left_out := troubles.take()) is not None:
        log.warning("the API server did not do what it was asked", why=str(trouble), left_out_before=left_out)
    return unavailable("The API server did not answer as it should; whether something was done can be read with GET.")


def _not_allowed(app: FastAPI, request: Request) -> ApiFailure:
    """405 with all methods that there are (RFC 9110, section 15.5.6)."""
    fitting = (route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods: set[str] = set().union(*(getattr(route, "methods", None) or () for route in fitting)) or OF_FILES
    message = "This path has no such method."
    headers = {"Allow": ", ".join(sorted(methods))}
    return ApiFailure(HTTPStatus.METHOD_NOT_ALLOWED, Code.METHOD_NOT_ALLOWED, message, headers=headers)
