"""The HTTP server: uvicorn with `BoundedProtocol`, in an event loop that the program starts, on sockets that it has bound."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import uvicorn

from agentidp.http_server.asgi import Endpoint
from agentidp.http_server.http1.limits import LIMITS, Limits
from agentidp.http_server.http1.protocol import BoundedProtocol

LAST_ANSWER = (b"connection", b"close")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """A server that returns after SIGTERM or SIGINT: uvicorn's own would end the process before the program has cleaned up."""

    def __init__(self, config: uvicorn.Config, limits: Limits) -> None:
        super().__init__(config)
        self._limits = limits

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals inside the block: the first one ends the server, the second one does not wait for requests."""
        loop = asyncio.get_running_loop()
        for stop_signal in STOP_SIGNALS:
            loop.add_signal_handler(stop_signal, self.handle_exit, stop_signal, None)
        try:
            yield
        finally:
            for stop_signal in STOP_SIGNALS:
                loop.remove_signal_handler(stop_signal)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close each connection after one more answer, which says so (RFC 9112, section 9.6); idle ones after some seconds."""
        self.server_state.default_headers.append(LAST_ANSWER)
        ends = time.monotonic() + self._limits.farewell_seconds
        while self.server_state.connections and time.monotonic() < ends and not self.force_exit:  # noqa: ASYNC110 no event
            await asyncio.sleep(self._limits.farewell_check_seconds)
        await super().shutdown(sockets)


def server_for(app: Endpoint, limits: Limits = LIMITS) -> Server:
    """A server for this application. `serve` starts it, and takes its sockets."""
    protocol: Any = partial(BoundedProtocol, limits=limits)
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=protocol,
        log_config=None,
        access_log=False,  # a line for each request costs a tenth of the speed; metrics tell more
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=limits.grace_seconds,
    )
    return Server(config, limits)


def event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """The factory of event loops: uvloop's where it is installed, which doubles the speed."""
    try:
        import uvloop  # noqa: PLC0415 where it is installed
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
