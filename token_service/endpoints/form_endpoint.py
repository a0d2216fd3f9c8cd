"""What all POST endpoints are: a form comes in, a value decides, an answer goes out, and a defect of ours is no traceback.

It is an ASGI application of its own, so that the path switch in front of the framework can call it directly.
"""

from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog

from agentidp.domain.tokens.oauth_errors import SERVER_ERROR, ErrorCode, OAuthError
from agentidp.http_server.asgi import Receive, Scope, Send
from token_service.http.request import FormRequest, RawRequest, parse_request, read_request
from token_service.http.response import JsonResponse, error_answer, write
from token_service.metrics import OK, RATE_LIMITED, Metrics
from token_service.rate_limits.tarpit import Tarpit

TOO_MANY_REQUESTS = 429
OF_NOBODY = {ErrorCode.INVALID_REQUEST, ErrorCode.UNSUPPORTED_GRANT_TYPE}
"""What is refused before it is known who asks. Those who fail to show who they are are held where that is decided."""

Handle = Callable[[FormRequest], Awaitable[JsonResponse | OAuthError]]
Recall = Callable[[RawRequest], JsonResponse | OAuthError | None]
"""Answers at once what was answered like this before, None where it has to be understood first."""

log = structlog.get_logger()


class FormEndpoint:
    """Reads, lets `handle` decide, writes and counts."""

    def __init__(self, name: str, handle: Handle, metrics: Metrics, floods: Tarpit, recall: Recall = lambda _: None) -> None:
        self._name = name
        self._handle = handle
        self._recall = recall
        self._metrics = metrics.routes[name]
        self._floods = floods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        began = perf_counter()
        try:
            outcome = await self._outcome(scope, receive)
        except Exception:
            log.exception("a request failed", endpoint=self._name)
            outcome = SERVER_ERROR
        if isinstance(outcome, JsonResponse):
            await write(outcome, send)
            told = OK
        else:
            if outcome.error in OF_NOBODY:
                await self._floods.hold()
            await write(error_answer(outcome), send)
            told = RATE_LIMITED if outcome.status == TOO_MANY_REQUESTS else outcome.error.value
        self._metrics.answered(told, perf_counter() - began)

    async def _outcome(self, scope: Scope, receive: Receive) -> JsonResponse | OAuthError:
        sent = await read_request(scope, receive)
        if isinstance(sent, OAuthError):
            return sent
        recalled = self._recall(sent)
        if recalled is not None:
            return recalled
        request = parse_request(sent, receive)
        return request if isinstance(request, OAuthError) else await self._handle(request)
