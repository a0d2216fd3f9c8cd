"""Free loopback ports that stay ours: from the moment they are chosen, also while their server is down."""

import socket
import sys


class ReservedPort:
    """A port of 127.0.0.1 that no other process is given.

    On Linux a bound socket that does not listen keeps the port out of the kernel's hands, while a server that sets
    SO_REUSEADDR (Go's, asyncio's and so uvicorn's and aiohttp's do) may still listen on it. Other systems refuse that server,
    so there the port is only chosen, and a collision shows as a start-up error.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        """Close the socket that holds the port."""
        self._socket.close()
