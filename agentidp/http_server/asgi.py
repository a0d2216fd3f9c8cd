"""ASGI: its types, and HEAD answered wherever GET is (RFC 9110, section 9.3.2).

An application sees GET instead of HEAD, so its routes, logs and metrics need no HEAD. The server sends no content. A 405 that
allows GET allows HEAD, too (section 15.5.6).
"""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Endpoint = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

METHOD_NOT_ALLOWED = 405


class HeadAsGet:
    """An ASGI application around another one. It adds no coroutine of its own, because each request passes it."""

    def __init__(self, app: Endpoint) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Serve one request. The server keeps its own scope, and by its method leaves out the content."""

        def send_with_head_allowed(message: Message) -> Awaitable[None]:
            if message.get("status") == METHOD_NOT_ALLOWED:
                _allow_head(message)
            return send(message)

        scope_with_get = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        return self._app(scope_with_get, receive, send_with_head_allowed)


def _allow_head(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    allowed = {method.strip() for method in headers.get("Allow", "").split(",")} - {""}
    if "GET" in allowed:
        headers["Allow"] = ", ".join(sorted(allowed | {"HEAD"}))
