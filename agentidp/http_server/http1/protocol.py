"""HTTP/1.1 on one connection, by uvicorn and llhttp, with limits and without request smuggling (RFC 9112, section 11.2).

Flows in: bytes from the client. Flows out: one answer a request, in order (RFC 9112, section 9.3.2). Bounded by `Limits`: size
and time of a head, the size of a request, the requests that wait for the answers before theirs, and what follows the last.

uvicorn's protocol takes the body of a request with `Upgrade` for the next request. It serves requests without `Host`, and of
RTSP. It has no limits: its parser needs ever more time for each byte of an endless header. So this protocol checks heads
(`framing`), and gives a new parser the head with `Upgrade` again, without it. It parses nothing after a request that is in
error, or after the last one of its connection. An answer that comes before the end of its request is the last one. Decision 31
says why.
"""

from asyncio import Event, TimerHandle, Transport
from typing import Any
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from agentidp.http_server.http1 import framing
from agentidp.http_server.http1.exchange import Exchange
from agentidp.http_server.http1.framing import (
    MALFORMED,
    ErrorResponse,
    head_error,
    head_without_upgrade,
    host_and_path,
    names_another_protocol,
)
from agentidp.http_server.http1.limits import Limits
from agentidp.http_server.http1.lingering import LingeringTransport

SLASH = ord("/")


class ReadBuffer(FlowControl):
    """Flow control that keeps reading paused while data waits to be parsed."""

    unparsed = b""

    def resume_reading(self) -> None:
        """Resume, unless data waits to be parsed: uvicorn resumes at each answer and at each read of a body."""
        if self.read_paused and not self.unparsed:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It ends where it exceeds a limit, or where the end of a request is uncertain. Early requests wait."""

    def __init__(self, *args: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._max_waiting, self._chunk_bytes = limits.max_pipelined_requests, limits.chunk_bytes
        self._begun_requests = 0
        self._received: bytes | bytearray = b""
        """The present head as far as it is there; empty where it began within a read, since its place there is unknown."""
        self._in_head = self._in_body = False
        self._is_last_request = False
        """Whether the connection ends after the present request."""
        self._has_ended = False
        """Whether nothing more is parsed. What arrives is discarded."""
        self._error: ErrorResponse | None = None
        self._continued_bytes = self._discarded_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._read_buffer: ReadBuffer
        self._lingering: LingeringTransport
        self._running: RequestResponseCycle | None = None
        """The exchange that runs or ran last; `cycle` is the last of those that wait for it, if there are any."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the connection, and the time in which its first head must come."""
        super().connection_made(transport)
        self.flow = self._read_buffer = ReadBuffer(transport)
        self._lingering = LingeringTransport(transport, self.loop, self._limits.max_linger_seconds, self._end)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the running exchange (uvicorn tells `cycle`), and begin none of those that wait.

        Leave no reference cycle: full garbage collections are rare, and connections may be many.
        """
        self._stop_head_timer()
        self._lingering.connection_lost()
        self.pipeline.clear()
        self.cycle = self._running  # type: ignore[assignment]
        super().connection_lost(exc)
        self.cycle = self._running = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Parse the data, until too many requests wait."""
        if self._has_ended:
            self._discard(len(data))
        elif len(self.pipeline) >= self._max_waiting or data.find(b"\n", self._chunk_bytes) >= 0:
            self._parse_in_chunks(data)
        else:
            self._parse(data)

    def on_response_complete(self) -> None:
        """Serve the next request, and parse a further one in its place; or end the connection."""
        if self._lingering.lingers:
            self.server_state.total_requests += 1
            return
        was_last = not self.pipeline
        super().on_response_complete()
        if self._error and was_last:
            self._write_error(self._error)
        elif self._read_buffer.unparsed:
            self._parse_in_chunks(b"")

    def _parse_in_chunks(self, data: bytes) -> None:
        """Parse what waits and this data, until enough requests wait; keep the rest."""
        unparsed, place, buffer = self._read_buffer.unparsed + data, 0, self._read_buffer
        while place < len(unparsed) and len(self.pipeline) < self._max_waiting and self._parses():
            self._parse(unparsed[place : place + self._chunk_bytes])
            place += self._chunk_bytes
        buffer.unparsed = b"" if self._has_ended else unparsed[place:]
        if buffer.unparsed:
            buffer.pause_reading()
            self._stop_head_timer()  # the rest of the head may have arrived

    def _parses(self) -> bool:
        return not (self._has_ended or self.transport.is_closing())

    def _parse(self, data: bytes) -> None:
        """Parse the data, and count the bytes that only continue a request that began before."""
        begun = self._begun_requests
        self._feed(data)
        continues = begun == self._begun_requests and (self._in_head or self._in_body)
        self._continued_bytes = self._continued_bytes + len(data) if continues else 0
        if self._continued_bytes > self._limits.max_head_bytes and self._in_head:
            self._fail(framing.LARGE_HEAD)
        elif self._continued_bytes > self._limits.max_request_bytes:
            self._fail(framing.LARGE_REQUEST)
        elif self._in_head and self._head_timer is None:
            self._start_head_timer()

    def _feed(self, data: bytes) -> None:
        """Parse the data. Where the parser would change the protocol, a new one gets the head again, without `Upgrade`."""
        while data:
            if not self._in_head:
                self._received = b"" if self._in_body else data
            elif self._received:
                self._received = self._continued(data)
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                (end_of_head,) = upgrade.args
                data = self._head_again() + data[end_of_head:]
            except HttpParserError:
                if not self._has_ended:
                    self._fail(self._error or MALFORMED)
                return
            else:
                return

    def _head_again(self) -> bytes:
        """Make a new parser, and return the head for it, which begins what this parser reads."""
        self._in_head = False
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does; `_is_last_request` decides
        return head_without_upgrade(method, self.url, version, self.headers)

    def on_message_begin(self) -> None:
        """Begin a request, unless the one before was the last. Empty lines (RFC 9112, section 2.2) begin none."""
        if self._is_last_request:
            self._end()
            raise ValueError("nothing is parsed after the last request")
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._begun_requests += 1
        self._in_head, self._in_body = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header without whitespace after its value (RFC 9112, section 5), unless it is a trailer (RFC 9110, 6.5.1)."""
        if self._in_head:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Check the head, and serve the request. The answer before it may have been written since it began."""
        if self._head_timer:
            self._stop_head_timer()
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._check_head()
        if self.parser.should_upgrade():
            return  # the parser goes no further; this head comes again
        self._in_head, self._in_body = False, True
        version = self.parser.get_http_version()
        self._is_last_request = version == framing.HTTP_1_0 or not self.parser.should_keep_alive()
        self._complete_scope(version)
        self._begin_exchange()

    def _complete_scope(self, version: str) -> None:
        """Set what the request line says (the ASGI specification, "HTTP Connection Scope")."""
        raw_path, _, query = self.url.partition(b"?")
        path = raw_path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"], self.scope["query_string"] = raw_path, query

    def _begin_exchange(self) -> None:
        """Let the application answer, at once or after the requests before. The end of the request may keep the connection.

        uvicorn runs `app(scope, exchange.receive, exchange.send)`; `cycle` is uvicorn's name for the present exchange.
        """
        before = self.cycle
        self.cycle = exchange = Exchange(
            scope=self.scope,
            transport=self._lingering,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _check_head(self) -> None:
        """Raises ValueError where the head is in error."""
        version, values = self.parser.get_http_version(), dict(self.headers)
        self._error = head_error(version, self.headers, values)
        method = self.parser.get_method()
        if self._error is None and method == b"CONNECT":
            self._error = framing.CONNECT  # with any target: its head would be parsed again without end
        elif self._error is None and names_another_protocol(self._received):
            self._error = MALFORMED
        elif self._error is None and (self.url[0] != SLASH or b"#" in self.url):
            self._error = self._target_error()
        if self._error:
            raise ValueError(self._error)
        if b"expect" in values:  # HTTP/1.1 only (RFC 9110, section 10.1.1)
            self.expect_100_continue = version == framing.HTTP_1_1 and values[b"expect"].lower() == b"100-continue"

    def _continued(self, data: bytes) -> bytearray:
        """The head so far and this; a bytearray grows in place, however many pieces there are."""
        received = self._received if isinstance(self._received, bytearray) else bytearray(self._received)
        received += data
        return received

    def _target_error(self) -> ErrorResponse | None:
        """The error of a target that is no path or has a fragment (RFC 9112, 3.2). A URL's host replaces the header (3.2.2)."""
        if b"#" in self.url:
            return framing.TARGET
        if self.url == b"*" and self.parser.get_method() == b"OPTIONS":
            return None
        parts = host_and_path(self.url)
        if parts is None:
            return framing.TARGET
        host, self.url = parts
        self.headers[:] = [(b"host", host), *(header for header in self.headers if header[0] != b"host")]
        return None

    def on_message_complete(self) -> None:
        """End the request; its answer may keep the connection."""
        if self._in_head:
            return  # the head is parsed again
        self._in_body = False
        self._received = b""
        if not self.parser.should_keep_alive():  # a trailer may say so, too
            self._is_last_request = True
        if not self.cycle.response_started:
            self.cycle.keep_alive = not self._is_last_request
        super().on_message_complete()

    def _fail(self, error: ErrorResponse) -> None:
        """Answer the present request with this error, after those before it, and end the connection."""
        failed = self.cycle if self._in_body else None
        self._end()
        if failed is None:
            is_next = self.cycle is None or self.cycle.response_complete
        elif self.pipeline and self.pipeline[0][0] is failed:
            self.pipeline.popleft()
            failed.more_body = is_next = False
        else:
            failed.disconnected = is_next = True
            failed.message_event.set()
        self._error = error
        if is_next:
            self._write_error(error)

    def _write_error(self, error: ErrorResponse) -> None:
        """Write the error, unless the request's own answer has begun, and close the connection."""
        if not (self.cycle and self.cycle.disconnected and self.cycle.response_started):
            body = b"" if self.parser.get_method() == b"HEAD" else error.text
            headers = [
                *self.server_state.default_headers,
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"),
            ]
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            self._lingering.write(STATUS_LINE[error.status] + lines + b"\r\n" + body)
        self._lingering.close()

    def _end(self) -> None:
        """Parse nothing more of the connection, and keep nothing."""
        self._has_ended = True
        self._in_head = self._in_body = False
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        self._read_buffer.unparsed = b""
        self._read_buffer.resume_reading()

    def _discard(self, length: int) -> None:
        """Count what is discarded, up to the limit."""
        self._discarded_bytes += length
        if self._discarded_bytes > self._limits.max_discarded_bytes:
            self.transport.abort()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.max_head_seconds, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None
