"""One request and its answer: uvicorn's cycle, with a shorter way to write answers.

Flows in: ASGI messages of the application. Flows out: the bytes that uvicorn would write. uvicorn matches two regular
expressions for each header, and writes head and content apart. Here the head is built at once, and its control characters are
counted: more than those of the line ends are an error, as with uvicorn. The head waits for the first part of the content.
`tests/unit/agentidp/http_server/http1/test_exchange.py` compares the bytes with those of uvicorn.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from agentidp.http_server.asgi import Message

CONTROL_CHARACTERS = bytes([*range(9), *range(10, 32), 127])
"""Control characters but the tab: no header holds them (RFC 9110, section 5.5)."""
WITHOUT_CONTENT = (204, 304)
"""Statuses whose answers have no content (RFC 9110, sections 15.3.5 and 15.4.5)."""


class Exchange(RequestResponseCycle):
    """The ASGI side of one request."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._head = b""

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Write a part of the answer; nothing, where the connection is gone (the ASGI specification, "Disconnected Client").

        Raises RuntimeError for a message that ASGI or HTTP does not allow.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.response_complete and self.transport.is_closing():
            self.disconnected = True
        if self.disconnected:
            return
        if not self.response_started:
            _expect(message, "http.response.start")
            self._start(message["status"], [*self.default_headers, *message.get("headers", ())])
        elif not self.response_complete:
            _expect(message, "http.response.body")
            self._write(message.get("body", b""), more_body=message.get("more_body", False))
        else:
            raise RuntimeError(f"Unexpected ASGI message '{message['type']}' sent, after response already completed.")

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Build the head, which is written with the first part of the content."""
        lines = b"".join([b"%b: %b\r\n" % (name.lower(), value) for name, value in headers])
        if len(lines.translate(None, CONTROL_CHARACTERS)) != len(lines) - 2 * len(headers):
            raise RuntimeError("Invalid HTTP header value.")
        self.response_started = True
        self.waiting_for_100_continue = False
        has_connection_close = self._read_framing(headers)
        if not self.keep_alive and not has_connection_close:
            lines += b"connection: close\r\n"
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in WITHOUT_CONTENT:
            self.chunked_encoding = True
            lines += b"transfer-encoding: chunked\r\n"
        self._head = STATUS_LINE[status] + lines + b"\r\n"

    def _read_framing(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Take over the length of the content from the headers; return whether they close the connection."""
        closes = False
        for cased_name, value in headers:
            name = cased_name.lower()
            if name == b"content-length" and self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif name == b"transfer-encoding" and value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
            elif name == b"connection" and b"close" in [token.lower().strip() for token in value.split(b",")]:
                self.keep_alive = False
                closes = True
        return closes

    def _write(self, body: bytes, *, more_body: bool) -> None:
        """Write a part of the content, and the head with the first part."""
        head, self._head = self._head, b""
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            self.transport.write(head)
        elif self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self.transport.write(head + chunk + (b"" if more_body else b"0\r\n\r\n"))
        else:
            if len(body) > self.expected_content_length:
                raise RuntimeError("Response content longer than Content-Length")
            self.expected_content_length -= len(body)
            self.transport.write(head + body)
        if not more_body:
            self._complete()

    def _complete(self) -> None:
        if self.expected_content_length != 0:
            raise RuntimeError("Response content shorter than Content-Length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _expect(message: Message, message_type: str) -> None:
    if message["type"] != message_type:
        raise RuntimeError(f"Expected ASGI message '{message_type}', but got '{message['type']}'.")
