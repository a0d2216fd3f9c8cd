"""A wire between a program and its API server that can be held up, slowed down, or cut. It passes on bytes as they are.

TLS is between the two ends, so nothing here can tell a watch from an answer. But a watch is a connection that is open for long:
what is open is held up, and what is opened meanwhile is not, so the program can still ask.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import urlsplit

from devcluster.access import Access

CHUNK = 65_536
HERE = "127.0.0.1"


@dataclass(eq=False)
class _Connection:
    """Both ends, and whether answers may pass."""

    near: socket.socket
    far: socket.socket
    gate: threading.Event = field(default_factory=threading.Event)


class Wire:
    """From a port of its own to an API server on this machine, whose certificate is good for both."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._connections: list[_Connection] = []
        self._delay = 0.0
        self._is_cut = False
        wire = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                wire.connect(self.request)

        self._listener = ThreadingTCPServer((HERE, 0), Handler)
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever)

    def access(self, directory: Path, access: Access) -> Access:
        """The same identities; whoever has one of them from here speaks over this wire."""
        directory.mkdir(parents=True)
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(access.kubeconfig.read_text().replace(self._server, f"https://{HERE}:{self._port}"))
        return Access(kubeconfig, directory)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """What the API server sends over the connections that are open now arrives when the block ends."""
        held = list(self._connections)
        for one in held:
            one.gate.clear()
        try:
            yield
        finally:
            for one in held:
                one.gate.set()

    @contextmanager
    def slowed(self, seconds: float) -> Iterator[None]:
        """Whatever the API server sends while the block runs is that late."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def cut(self) -> Iterator[None]:
        """What is on its way is lost, and nothing can be sent while the block runs."""
        self._is_cut = True
        for one in list(self._connections):
            _end(one.near, one.far)
        try:
            yield
        finally:
            self._is_cut = False

    @property
    def _port(self) -> int:
        return int(self._listener.server_address[1])

    def connect(self, near: socket.socket) -> None:
        """Pass bytes on between an accepted connection and a new one to the server."""
        address = urlsplit(self._server)
        if self._is_cut:
            return
        with suppress(OSError), socket.create_connection((address.hostname or HERE, address.port or 443)) as far:
            connection = _Connection(near, far)
            connection.gate.set()
            self._connections.append(connection)
            answers = threading.Thread(target=_pass_on, args=(far, near, lambda: self._delayed(connection)), daemon=True)
            answers.start()
            _pass_on(near, far)
            answers.join()
            self._connections.remove(connection)

    def _delayed(self, connection: _Connection) -> None:
        """Return when an answer may pass."""
        connection.gate.wait()
        time.sleep(self._delay)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


def _pass_on(source: socket.socket, target: socket.socket, delayed: Callable[[], None] = lambda: None) -> None:
    """As soon as each part may pass, until one of both ends; then the other one ends, too."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            delayed()
            target.sendall(data)
    _end(source, target)


def _end(*ends: socket.socket) -> None:
    for one in ends:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
