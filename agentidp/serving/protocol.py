"""The HTTP protocol with bounds: how long the head of a request may take, and how large it and the whole request may be.

Also, how many requests of a connection wait for the answers to those before them (RFC 9112, section 9.3.2).

uvicorn's quick parser has none, and takes ever longer for each byte of a header that does not end: one connection is enough to
keep everybody waiting. Where that parser is not installed, uvicorn takes h11, which has a bound of its own.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
MAX_REQUEST_BYTES = 1_048_576
MAX_HEAD_SECONDS = 10
MOST_WAITING = 8
"""As soon as so many requests wait for their turn, nothing more of the connection is parsed, and nothing read."""
PIECE_BYTES = 1024
"""So much is parsed at a stretch where further lines follow, and with them perhaps further requests; some fifty fit into it."""


class Reading(FlowControl):
    """Pauses while something is kept that was read and not parsed."""

    kept = b""

    def resume_reading(self) -> None:
        """Unless something is kept: uvicorn would go on with each request that is answered, and each that is looked at."""
        if self.read_paused and not self.kept:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections that exceed the bounds; requests that come too soon wait."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._begun = 0
        self._in_head = self._in_body = False
        self._continued_bytes = 0
        self._patience: TimerHandle | None = None
        self._reading: Reading

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The first request should come soon."""
        super().connection_made(transport)
        self.flow = self._reading = Reading(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._await_no_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, as far as there are not too many requests before it."""
        if len(self.pipeline) >= MOST_WAITING or data.find(b"\n", PIECE_BYTES) >= 0:
            self._parse_in_pieces(data)
        else:
            self._parse(data)

    def on_response_complete(self) -> None:
        """The next request has its turn, and there is room for another one."""
        super().on_response_complete()
        if self._reading.kept:
            self._parse_in_pieces(b"")

    def _parse_in_pieces(self, data: bytes) -> None:
        """What was kept and this, until enough requests wait; keep the rest."""
        unparsed, place = self._reading.kept + data, 0
        while place < len(unparsed) and len(self.pipeline) < MOST_WAITING and not self.transport.is_closing():
            self._parse(unparsed[place : place + PIECE_BYTES])
            place = len(unparsed) if self._is_upgraded() else place + PIECE_BYTES
        self._reading.kept = unparsed[place:]
        if self._reading.kept:
            self._reading.pause_reading()
            self._await_no_head()  # the client has done its part

    def _is_upgraded(self) -> bool:
        """Whether what follows the last request is not HTTP (RFC 9110, section 7.8)."""
        return self.parser.should_upgrade() and not (self._in_head or self._in_body)

    def _parse(self, data: bytes) -> None:
        """Count what only continues a request that had begun before."""
        begun = self._begun
        super().data_received(data)
        continues = begun == self._begun and (self._in_head or self._in_body)
        self._continued_bytes = self._continued_bytes + len(data) if continues else 0
        if self._continued_bytes > (MAX_HEAD_BYTES if self._in_head else MAX_REQUEST_BYTES):
            self.transport.abort()
        elif self._in_head and self._patience is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begun += 1
        self._in_head, self._in_body = True, False

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head, self._in_body = False, True
        self._await_no_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._in_body = False
        super().on_message_complete()

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(MAX_HEAD_SECONDS, self.transport.abort)

    def _await_no_head(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
