"""The end of a connection, such that its last answer arrives (RFC 9112, section 9.6).

A socket that is closed while data is unread, or before data arrives, sends a reset, and the client may lose the answer before
it. So only our side is closed first, and what arrives is discarded until the client has closed, too; time and bytes are
bounded.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections.abc import Callable


class Outlet:
    """What requests know of a transport: they write to it, and close it, after which it lingers.

    `write` is the transport's own method, so answers cost nothing more by this.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop, seconds: float, closing: Callable[[], None]) -> None:
        self.write = transport.write
        self.lingers = False
        self._transport = transport
        self._loop = loop
        self._seconds = seconds
        self._closing = closing
        self._timer: TimerHandle | None = None

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """No more is written; the transport is closed when the client closes it, or when it is time."""
        if self.is_closing():
            return
        self.lingers = True
        self._closing()
        self._transport.write_eof()
        self._timer = self._loop.call_later(self._seconds, self._transport.abort)

    def lost(self) -> None:
        """The connection is gone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
