"""HTTP/1.1 by uvicorn and llhttp, with an end of each request that other programs see, too, and with bounds.

uvicorn's protocol takes the body of a request with `Upgrade` for the next request; it serves requests without `Host`, and those
of RTSP; and it has no bounds: its parser takes ever longer for each byte of a header that does not end. So this protocol checks
heads (`framing`), gives the parser a head with `Upgrade` again without it, and parses nothing after a request that is refused
or is the last of its connection. An answer that comes before the end of its request is the last one. Each request has one
answer, in order.

It also bounds how many requests of a connection wait for the answers to those before them (RFC 9112, section 9.3.2).
"""

from asyncio import Event, TimerHandle, Transport
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from agentidp.http_server.http1 import framing
from agentidp.http_server.http1.exchange import Exchange
from agentidp.http_server.http1.framing import MALFORMED, Refusal, head_without_upgrade, host_and_path, refusal_of, speaks_http
from agentidp.http_server.http1.lingering import Outlet

MOST_WAITING = 8
"""As soon as so many requests wait for their turn, nothing more of the connection is parsed, and nothing read."""
PIECE_BYTES = 1024
"""So much is parsed at a stretch where further lines follow, and with them perhaps further requests; some fifty fit into it."""
SLASH = ord("/")


@dataclass(frozen=True)
class Limits:
    """Of one connection."""

    max_head_bytes: int = 65_536
    max_request_bytes: int = 1_048_576
    max_head_seconds: float = 10
    max_discarded_bytes: int = 16_777_216
    max_linger_seconds: float = 5


class Reading(FlowControl):
    """Pauses while something is kept that was read and not parsed."""

    kept = b""

    def resume_reading(self) -> None:
        """Unless something is kept: uvicorn would go on with each request that is answered, and each that is looked at."""
        if self.read_paused and not self.kept:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections that exceed the bounds, or on which the end of a request is uncertain. Early requests wait."""

    def __init__(self, *args: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._begun = 0
        self._received = bytearray()
        """The present head as far as it is there, perhaps with what came before it."""
        self._in_head = self._in_body = False
        self._is_last = False
        """Whether the present request is the connection's last."""
        self._ended = False
        """Whether nothing more is parsed: what comes is discarded."""
        self._refusal: Refusal | None = None
        self._continued_bytes = self._discarded_bytes = 0
        self._patience: TimerHandle | None = None
        self._reading: Reading
        self._outlet: Outlet

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The first request should come soon."""
        super().connection_made(transport)
        self.flow = self._reading = Reading(transport)
        self._outlet = Outlet(transport, self.loop, self._limits.max_linger_seconds, self._end)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._await_no_head()
        self._outlet.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, as far as there are not too many requests before it."""
        if self._ended:
            self._discard(len(data))
        elif len(self.pipeline) >= MOST_WAITING or data.find(b"\n", PIECE_BYTES) >= 0:
            self._parse_in_pieces(data)
        else:
            self._parse(data)

    def on_response_complete(self) -> None:
        """The next request has its turn, and there is room for another one; or the connection ends."""
        if self._outlet.lingers:
            self.server_state.total_requests += 1
            return
        was_last = not self.pipeline
        super().on_response_complete()
        if self._refusal and was_last:
            self._write_refusal(self._refusal)
        elif self._reading.kept:
            self._parse_in_pieces(b"")

    def _parse_in_pieces(self, data: bytes) -> None:
        """What was kept and this, until enough requests wait; keep the rest."""
        unparsed, place = self._reading.kept + data, 0
        while place < len(unparsed) and len(self.pipeline) < MOST_WAITING and not (self._ended or self.transport.is_closing()):
            self._parse(unparsed[place : place + PIECE_BYTES])
            place += PIECE_BYTES
        self._reading.kept = b"" if self._ended else unparsed[place:]
        if self._reading.kept:
            self._reading.pause_reading()
            self._await_no_head()  # the client has done its part

    def _parse(self, data: bytes) -> None:
        """Count what only continues a request that had begun before."""
        begun = self._begun
        self._feed(data)
        continues = begun == self._begun and (self._in_head or self._in_body)
        self._continued_bytes = self._continued_bytes + len(data) if continues else 0
        if self._continued_bytes > self._limits.max_head_bytes and self._in_head:
            self._refuse(framing.LARGE_HEAD)
        elif self._continued_bytes > self._limits.max_request_bytes:
            self._refuse(framing.LARGE_REQUEST)
        elif self._in_head and self._patience is None:
            self._await_head()

    def _feed(self, data: bytes) -> None:
        """Parse it. Where the parser would change the protocol, a new one gets the head again, without `Upgrade`."""
        while data:
            if self._in_head:
                self._received += data
            else:
                self._received = bytearray(data)
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                (end_of_head,) = upgrade.args
                data = self._head_again() + data[end_of_head:]
            except HttpParserError:
                if not self._ended:
                    self._refuse(self._refusal or MALFORMED)
                return
            else:
                return

    def _head_again(self) -> bytes:
        """For a new parser."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does; we see to it ourselves
        return head_without_upgrade(method, self.url, version, self.headers)

    def on_message_begin(self) -> None:
        """A request begins, unless the one before was the last. Empty lines between two (RFC 9112, 2.2) are no sign of life."""
        if self._is_last:
            self._end()
            raise ValueError("nothing is parsed after the last request")
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._begun += 1
        self._in_head, self._in_body = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Whitespace after a value is not part of it (RFC 9112, section 5), nor trailers of the headers (RFC 9110, 6.5.1)."""
        if self._in_head:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Its head is there; the answer before it may have come after its beginning."""
        if self._patience:
            self._await_no_head()
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._check_head()
        if self.parser.should_upgrade():
            return  # the parser goes no further; this head comes again
        self._in_head, self._in_body = False, True
        version = self.parser.get_http_version()
        self._is_last = version == framing.HTTP_1_0 or not self.parser.should_keep_alive()
        self._complete_scope(version)
        self._begin_exchange()

    def _complete_scope(self, version: str) -> None:
        """Say what the request line says (the ASGI specification, "HTTP Connection Scope")."""
        raw_path, _, query = self.url.partition(b"?")
        path = raw_path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"], self.scope["query_string"] = raw_path, query

    def _begin_exchange(self) -> None:
        """Let the application answer, or wait for its turn; the connection is kept only after the end of the request."""
        before = self.cycle
        self.cycle = exchange = Exchange(
            scope=self.scope,
            transport=self._outlet,
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

    def _check_head(self) -> None:
        """Raises where it is refused."""
        version, values = self.parser.get_http_version(), dict(self.headers)
        self._refusal = refusal_of(version, self.headers, values)
        if self._refusal is None and self.parser.get_method() == b"CONNECT":
            self._refusal = framing.CONNECT  # with any target: its head would come again for ever
        elif self._refusal is None and not speaks_http(self._received, self.url):
            self._refusal = MALFORMED
        elif self._refusal is None and (self.url[0] != SLASH or b"#" in self.url):
            self._refusal = self._refusal_of_target()
        if self._refusal:
            raise ValueError(self._refusal)
        if b"expect" in values:  # of HTTP/1.1 only: RFC 9110, section 10.1.1
            self.expect_100_continue = version == framing.HTTP_1_1 and values[b"expect"].lower() == b"100-continue"

    def _refusal_of_target(self) -> Refusal | None:
        """Of one that is no path, or has a fragment (RFC 9112, 3.2). The host of a URL counts, not the header (3.2.2)."""
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
        """All of it is there."""
        if self._in_head:
            return  # of the one that comes again
        self._in_body = False
        if not self.parser.should_keep_alive():  # by a trailer, too: the parser takes nothing more after it
            self._is_last = True
        if not self.cycle.response_started:
            self.cycle.keep_alive = not self._is_last
        super().on_message_complete()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer the present request with it when its turn comes, whatever was to become of it, and end the connection."""
        broken = self.cycle if self._in_body else None
        self._end()
        if broken is None:
            its_turn = self.cycle is None or self.cycle.response_complete
        elif self.pipeline and self.pipeline[0][0] is broken:
            self.pipeline.popleft()
            broken.more_body = its_turn = False
        else:
            broken.disconnected = its_turn = True
            broken.message_event.set()
        self._refusal = refusal
        if its_turn:
            self._write_refusal(refusal)

    def _write_refusal(self, refusal: Refusal) -> None:
        """Unless the request's own answer has begun."""
        if not (self.cycle and self.cycle.disconnected and self.cycle.response_started):
            body = b"" if self.parser.get_method() == b"HEAD" else refusal.text
            headers = [
                *self.server_state.default_headers,
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"),
            ]
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            self._outlet.write(STATUS_LINE[refusal.status] + lines + b"\r\n" + body)
        self._outlet.close()

    def _end(self) -> None:
        """Nothing more of the connection is parsed, and nothing kept."""
        self._ended = True
        self._in_head = self._in_body = False
        self._await_no_head()
        self._unset_keepalive_if_required()
        self._reading.kept = b""
        self._reading.resume_reading()

    def _discard(self, length: int) -> None:
        """Up to a bound."""
        self._discarded_bytes += length
        if self._discarded_bytes > self._limits.max_discarded_bytes:
            self.transport.abort()

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(self._limits.max_head_seconds, self.transport.abort)

    def _await_no_head(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
