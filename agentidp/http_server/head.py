"""HEAD wherever GET is (RFC 9110, section 9.3.2): the same answer, of which the server sends the head only.

The application sees GET and needs to know nothing of HEAD, nor do its OpenAPI document, its logs and its metrics. A 405 that
allows GET allows HEAD, too (section 15.5.6).
"""

from collections.abc import Awaitable, Coroutine
from typing import Any

from starlette.datastructures import MutableHeaders

from agentidp.http_server.asgi import Endpoint, Message, Receive, Scope, Send

METHOD_NOT_ALLOWED = 405


class HeadAsGet:
    """An ASGI application around another one. It adds no coroutine of its own: each request comes through here."""

    def __init__(self, app: Endpoint) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """One request. The server keeps its own scope, by which it leaves out the body."""

        def send_with_head_allowed(message: Message) -> Awaitable[None]:
            if message.get("status") == METHOD_NOT_ALLOWED:
                _allow_head(message)
            return send(message)

        seen = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        return self._app(seen, receive, send_with_head_allowed)


def _allow_head(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    allowed = {one.strip() for one in headers.get("Allow", "").split(",")} - {""}
    if "GET" in allowed:
        headers["Allow"] = ", ".join(sorted(allowed | {"HEAD"}))
