"""The ASGI application of every form endpoint: reads the request, lets `handle` answer it, and turns failures into responses.

Every failure becomes a response here and nowhere else. A failed client authentication is logged with its reason and answered
without it; rejections pass through the tarpit. An unexpected exception is logged and answered with `server_error`.

The path switch in front of the framework calls this application directly.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter
from typing import Any

import structlog

from agentidp.domain.tokens.oauth_errors import (
    ErrorCode,
    OAuthError,
    invalid_client,
    invalid_request,
    server_error,
    too_many_requests,
    unavailable,
)
from agentidp.http_server.asgi import Receive, Scope, Send
from agentidp.runtime.pools.bcrypt_pool import Busy
from token_service.authentication.result import AuthenticationFailed, FailureLog
from token_service.client_secrets.brute_force import TooManyAttempts
from token_service.cluster.live_reads import TooManyWaiting
from token_service.http.request import ClientLeft, RawRequest, read_request
from token_service.http.response import JsonResponse, error_response, write
from token_service.limits import LIMITS, Limits
from token_service.metrics import OK, RATE_LIMITED, RouteMetrics
from token_service.rate_limits import Tarpit

REJECTIONS = {
    ErrorCode.INVALID_CLIENT,
    ErrorCode.INVALID_TOKEN,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.UNSUPPORTED_GRANT_TYPE,
}
"""What a sender is told who has not authenticated. These pass through the tarpit."""

ERRORS: dict[type[Exception], Callable[[Any], OAuthError]] = {
    OAuthError: lambda error: error,
    AuthenticationFailed: lambda _: invalid_client(),
    TooManyAttempts: lambda failure: too_many_requests(
        "Too many wrong secrets; wait before the next try.", failure.retry_after
    ),
    Busy: lambda failure: unavailable("Too many secrets are being checked.", failure.retry_after),
    TooManyWaiting: lambda _: unavailable("Too many unknown clients are being looked up.", 1),
    ClientLeft: lambda _: invalid_request("The client went away."),
}
"""The error with which each failure is answered."""

FAILURES = tuple(ERRORS)

Handle = Callable[[RawRequest, Receive], Awaitable[JsonResponse]]
"""Answers a request. Raises the failures that `ERRORS` has."""

log = structlog.get_logger()


class FormEndpoint:
    """One endpoint: an ASGI application."""

    def __init__(
        self,
        name: str,
        handle: Handle,
        metrics: RouteMetrics,
        failure_log: FailureLog,
        tarpit: Tarpit,
        limits: Limits = LIMITS,
    ) -> None:
        self._name = name
        self._handle = handle
        self._metrics = metrics
        self._failure_log = failure_log
        self._tarpit = tarpit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it with its duration."""
        began = perf_counter()
        try:
            response = await self._handle(await read_request(scope, receive, self._limits), receive)
            outcome = OK
        except FAILURES as failure:
            response, outcome = await self._failure_response(failure)
        except Exception:
            log.exception("a request failed", endpoint=self._name)
            response, outcome = error_response(server_error()), ErrorCode.SERVER_ERROR.value
        await write(response, send)
        self._metrics.answered(outcome, perf_counter() - began)

    async def _failure_response(self, failure: Exception) -> tuple[JsonResponse, str]:
        """The response to a failure, and the outcome that is counted.

        A departed client becomes `invalid_request`: nobody reads that response, and the metrics count it.
        """
        if isinstance(failure, AuthenticationFailed):
            self._failure_log.add(failure)
        error = ERRORS[type(failure)](failure)
        if error.error in REJECTIONS:
            await self._tarpit.delay()
        too_many = error.status == HTTPStatus.TOO_MANY_REQUESTS
        return error_response(error), RATE_LIMITED if too_many else error.error.value
