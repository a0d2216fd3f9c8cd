"""The HTTP protocol with bounds: how long the head of a request may take, and how large it and the whole request may be.

uvicorn's quick parser has none, and takes ever longer for each byte of a header that does not end: one connection is enough to
keep everybody waiting. Where that parser is not installed, uvicorn takes h11, which has a bound of its own.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
MAX_REQUEST_BYTES = 1_048_576
MAX_HEAD_SECONDS = 10


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections that exceed the bounds. What comes in one piece is bounded by the size of a read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._begun = 0
        self._in_head = self._in_body = False
        self._continued_bytes = 0
        self._patience: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The first request should come soon."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
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
        self._head_came()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._in_body = False
        super().on_message_complete()

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(MAX_HEAD_SECONDS, self.transport.abort)

    def _head_came(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
