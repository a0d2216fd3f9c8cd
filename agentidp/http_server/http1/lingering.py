"""Lingering close: ends a connection such that its last answer arrives (RFC 9112, section 9.6).

A socket that is closed while data is unread, or before data arrives, sends a reset, and the client may lose the answer. So the
server first closes its own side only, and discards what arrives until the client has closed, too. Time and bytes are bounded.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections.abc import Callable


class LingeringTransport:
    """The part of a transport that requests use: `write`, and a `close` that lingers.

    `write` is the method of the transport itself, so an answer costs nothing more.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop, max_seconds: float, closing: Callable[[], None]) -> None:
        """`closing` is called when the server's side is about to be closed."""
        self.write = transport.write
        self.lingers = False
        self._transport = transport
        self._loop = loop
        self._max_seconds = max_seconds
        self._closing = closing
        self._timer: TimerHandle | None = None

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """End the server's side. The transport closes when the client closes it, or when the time is over."""
        if self.is_closing():
            return
        self.lingers = True
        self._closing()
        self._transport.write_eof()
        self._timer = self._loop.call_later(self._max_seconds, self._transport.abort)

    def connection_lost(self) -> None:
        """Stop the timer, and let go of the protocol, because the connection is gone."""
        self._closing = _ignore
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _ignore() -> None:
    """Do nothing: takes the place of a callback that is not called any more."""
