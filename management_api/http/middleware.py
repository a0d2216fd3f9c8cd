"""Around every request: its id, a bound of its body, a line in the log, a count, and an answer whatever happens."""

import re
import time
import uuid
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders

from agentidp.domain.identity.clients import is_client_id
from agentidp.domain.secrets.client_secrets import PREFIX
from agentidp.http_server.asgi import Endpoint, Message, Receive, Scope, Send
from agentidp.runtime.logs import LogLimit
from management_api.errors import ApiFailure, invalid, not_json, too_large
from management_api.http.error_handlers import INTERNAL_ERROR, error_response
from management_api.metrics import Metrics

MAX_BODY_BYTES = 16_384
MAX_LENGTH_DIGITS = 20
REQUEST_ID = "X-Request-Id"
QUIET = {"GET", "OPTIONS"}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger()


class RequestMiddleware:
    """An ASGI application around another one."""

    def __init__(self, app: Endpoint, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._refusals = LogLimit()
        self._defects = LogLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        begun = time.perf_counter()
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = _request_id(headers)
        answer = _Answer(send, request_id)
        try:
            body = await _read(headers, receive)
            await self._app(scope, _Replay(body, receive), answer)
        except ApiFailure as failure:
            await error_response(failure)(scope, receive, answer)
        except Exception:
            if (left_out := self._defects.take()) is not None:
                log.exception("a request failed", request_id=request_id, left_out_before=left_out)
            if not answer.status:
                await error_response(INTERNAL_ERROR)(scope, receive, answer)
        finally:
            self._account(scope, answer.status, time.perf_counter() - begun)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        """Count it, and tell the log: of changes each, which are limited; of what is refused as many as the log takes."""
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.answered(scope["method"], route, status, seconds)
        left_out = 0 if status < HTTPStatus.BAD_REQUEST else self._refusals.take()
        if left_out is None:
            return
        tell = log.debug if scope["method"] in QUIET else log.info
        state = scope["state"]
        tell(
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


class _Answer:
    """Passes an answer on, with the headers that all have, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._request_id
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
        await self._send(message)


class _Replay:
    """The body that was read already; after it whatever comes, which is the client's leaving."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _ids(path_params: dict[str, str]) -> dict[str, str]:
    """What can be an id; anything else may be a secret in the wrong place."""
    return {name: value for name, value in path_params.items() if is_client_id(value)}


def _request_id(headers: Headers) -> str:
    """The caller's own, where it is one that can be logged."""
    given = headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID.fullmatch(given) and PREFIX not in given else uuid.uuid4().hex


async def _read(headers: Headers, receive: Receive) -> bytes:
    """The body, which is JSON if there is one. Raises Failure."""
    announced = headers.get("Content-Length", "0")
    if not announced.isdigit() or len(announced) > MAX_LENGTH_DIGITS or int(announced) > MAX_BODY_BYTES:
        raise too_large()
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise invalid(body="It broke off.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise too_large()
        more = message.get("more_body", False)
    if body and headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise not_json()
    return bytes(body)
