"""Servers of one application that tells what it has understood: ours, and two that others wrote, h11's and hyper's."""

import asyncio
import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from agentidp.http_server.asgi import Receive, Scope, Send
from agentidp.http_server.server import Server, server_for
from devcluster.ports import ReservedPort

Address = tuple[str, int]
CHECKOUT = Path(__file__).resolve().parent.parent.parent
ECHO = b"x-echo"
WATCHED = {b"host", b"x-extra"}
START_SECONDS = 30


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Method, path, watched headers and a digest of the body, in a header, so that HEAD has it. Granian adds an empty Host."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = sorted((name, value) for name, value in scope["headers"] if name in WATCHED and value)
    told = [scope["method"].encode(), scope["path"].encode(), *(b"%b=%b" % header for header in headers)]
    told += [str(len(body)).encode(), hashlib.sha256(body).hexdigest()[:16].encode()]
    await send({"type": "http.response.start", "status": 200, "headers": [(ECHO, b" ".join(told)), (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def ours() -> Iterator[Address]:
    """The server of the token service and the management API."""
    with _in_a_thread(server_for(application)) as address:
        yield address


@contextmanager
def by_h11() -> Iterator[Address]:
    """Uvicorn with its other parser."""
    config = uvicorn.Config(application, http="h11", ws="none", lifespan="off", log_config=None, proxy_headers=False)
    with _in_a_thread(_Stoppable(config)) as address:
        yield address


@contextmanager
def by_hyper() -> Iterator[Address]:
    """hyper, through granian."""
    port = ReservedPort()
    options = ["--interface", "asgi", "--http", "1", "--no-ws", "--no-log", "--host", "127.0.0.1", "--port", str(port.number)]
    command = [str(Path(sys.executable).with_name("granian")), *options, "tests.support.echoing:application"]
    with subprocess.Popen(command, cwd=CHECKOUT) as process:
        try:
            _wait_for(("127.0.0.1", port.number))
            yield "127.0.0.1", port.number
        finally:
            process.terminate()
            process.wait()
            port.release()


@contextmanager
def all_three() -> Iterator[dict[str, Address]]:
    """Their addresses by name."""
    with ExitStack() as stack:
        yield {server.__name__: stack.enter_context(server()) for server in (ours, by_h11, by_hyper)}


class _Stoppable(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: it is not in the main thread."""
        yield


class _OursInAThread(Server):
    capture_signals = _Stoppable.capture_signals


@contextmanager
def _in_a_thread(server: uvicorn.Server) -> Iterator[Address]:
    if isinstance(server, Server):
        server.__class__ = _OursInAThread
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=asyncio.run, args=[server.serve([listening])])
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def _wait_for(address: Address) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(address).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
