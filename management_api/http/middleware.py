"""Middleware of every request: request id, bound of the body, log line, metrics, and an answer whatever fails.

Flows in: an ASGI request. Its body is read whole before a route sees it, at most `Limits.max_body_bytes`, so a request that
breaks off does nothing. Flows out: an answer with the headers that all answers have. The log is bounded, too: anybody can cause
errors, so their lines have a rate (`LogLimit`), while each change has its line.
"""

import re
import time
import uuid
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders

from agentidp.domain.identity.clients import is_client_id
from agentidp.domain.secrets.client_secrets import PREFIX
from agentidp.http_server.asgi import Endpoint, Message, Receive, Scope, Send
from agentidp.http_server.content_length import is_length_within
from agentidp.runtime.logs import LogLimit
from management_api.errors import ApiFailure, invalid, not_json, too_large
from management_api.http.error_handlers import INTERNAL_ERROR, error_response
from management_api.limits import Limits
from management_api.metrics import Metrics

REQUEST_ID_HEADER = "X-Request-Id"
READ_METHODS = {"GET", "OPTIONS"}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger()


class RequestMiddleware:
    """An ASGI application that wraps another one."""

    def __init__(self, app: Endpoint, metrics: Metrics, limits: Limits) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body_bytes = limits.max_body_bytes
        self._error_log_limit = LogLimit()
        self._crash_log_limit = LogLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a client."""
        start = time.perf_counter()
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = _request_id(headers)
        response = _Response(send, request_id)
        try:
            body = await _read_body(headers, receive, self._max_body_bytes)
            await self._app(scope, _BufferedBody(body, receive), response)
        except ApiFailure as failure:
            await error_response(failure)(scope, receive, response)
        except Exception:
            if (left_out := self._crash_log_limit.take()) is not None:
                log.exception("a request failed", request_id=request_id, left_out_before=left_out)
            if not response.status:
                await error_response(INTERNAL_ERROR)(scope, receive, response)
        finally:
            self._record(scope, response.status, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        """Count the request, and log it: reads at debug, changes at info, errors only up to a rate."""
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.answered(scope["method"], route, status, seconds)
        left_out = 0 if status < HTTPStatus.BAD_REQUEST else self._error_log_limit.take()
        if left_out is None:
            return
        write = log.debug if scope["method"] in READ_METHODS else log.info
        state = scope["state"]
        write(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            seconds=round(seconds, 4),
            request_id=state["request_id"],
            caller=state.get("caller"),
            left_out_before=left_out,
            **_ids(scope.get("path_params", {})),
        )


class _Response:
    """Sends an answer with the headers that all answers have, and keeps its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._request_id
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
        await self._send(message)


class _BufferedBody:
    """Receives the body that was read already, then what the client sends next: its disconnect."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _ids(path_params: dict[str, str]) -> dict[str, str]:
    """Return the path parameters that have the form of an id: anything else may be a secret in the wrong place."""
    return {name: value for name, value in path_params.items() if is_client_id(value)}


def _request_id(headers: Headers) -> str:
    """Return the client's request id if it can be logged, else a new one."""
    request_id = headers.get(REQUEST_ID_HEADER, "")
    return request_id if _REQUEST_ID.fullmatch(request_id) and PREFIX not in request_id else uuid.uuid4().hex


async def _read_body(headers: Headers, receive: Receive, max_bytes: int) -> bytes:
    """Return the body, which is empty or JSON by its Content-Type. Raises ApiFailure."""
    if not is_length_within(headers.get("Content-Length", "0").encode("latin-1"), max_bytes):
        raise too_large()
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise invalid(body="The request broke off.")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise too_large()
        more = message.get("more_body", False)
    if body and headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise not_json()
    return bytes(body)
