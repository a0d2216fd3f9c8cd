"""The HTTP server: uvicorn, run by our own event loop, with a protocol of our own around its quick one."""

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
from agentidp.http_server.http1.protocol import BoundedProtocol, Limits
from agentidp.runtime.settings import Listen

GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 75  # longer than proxies keep a connection: or they would send requests on one that is being closed
# How long connections may each bring one more request when the end has begun; the client is told that it was the last.
FAREWELL_SECONDS = 2.0
FAREWELL_POLL_SECONDS = 0.05
LAST_ANSWER = (b"connection", b"close")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BACKLOG = 2048
LIMITS = Limits()


class Server(uvicorn.Server):
    """Ends at SIGTERM or SIGINT, and then returns: uvicorn's own way would end the process before we have cleaned up."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop taking requests at the first signal, and waiting for their end at the second."""
        loop = asyncio.get_running_loop()
        for one in STOP_SIGNALS:
            loop.add_signal_handler(one, self.handle_exit, one, None)
        try:
            yield
        finally:
            for one in STOP_SIGNALS:
                loop.remove_signal_handler(one)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close connections after an answer, when no request is on its way (RFC 9112, section 9.6); the idle ones last."""
        self.server_state.default_headers.append(LAST_ANSWER)
        ends = time.monotonic() + FAREWELL_SECONDS
        while self.server_state.connections and time.monotonic() < ends and not self.force_exit:  # noqa: ASYNC110 no event
            await asyncio.sleep(FAREWELL_POLL_SECONDS)
        await super().shutdown(sockets)


def server_for(app: Endpoint, limits: Limits = LIMITS) -> Server:
    """A server, not started yet; it is given its sockets then."""
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
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config)


def event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Uvloop's where it is installed: it doubles the speed."""
    try:
        import uvloop  # noqa: PLC0415 where it is installed
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def listen(*addresses: Listen | None) -> list[socket.socket]:
    """A listening socket for each address. Raises OSError, which names the address that cannot be had."""
    return [_bound(one) for one in addresses if one]


def _bound(address: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    host = address.host.strip("[]")
    try:
        any_of_both = host == "::"
        return socket.create_server((host, address.port), family=family, backlog=BACKLOG, dualstack_ipv6=any_of_both)
    except OSError as trouble:
        raise OSError(trouble.errno, trouble.strerror, str(address)) from trouble
