"""A wire between a program and its API server that can be held up. It passes on bytes as they are, and loses none.

TLS is between the two ends, so nothing here can tell a watch from an answer. But a watch is a connection that is open for long:
what is open is held up, and what is opened meanwhile is not, so the program can still ask.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import urlsplit

from devcluster.access import Access

CHUNK = 65_536
HERE = "127.0.0.1"


class Wire:
    """From a port of its own to an API server on this machine, whose certificate is good for both."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._gates: list[threading.Event] = []
        wire = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                wire._connect(self.request)

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
        held = list(self._gates)
        for gate in held:
            gate.clear()
        try:
            yield
        finally:
            for gate in held:
                gate.set()

    @property
    def _port(self) -> int:
        return int(self._listener.server_address[1])

    def _connect(self, near: socket.socket) -> None:
        address = urlsplit(self._server)
        with suppress(OSError), socket.create_connection((address.hostname or HERE, address.port or 443)) as far:
            gate = threading.Event()
            gate.set()
            self._gates.append(gate)
            answers = threading.Thread(target=_pass_on, args=(far, near, gate), daemon=True)
            answers.start()
            _pass_on(near, far)
            answers.join()
            self._gates.remove(gate)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


def _pass_on(source: socket.socket, target: socket.socket, gate: threading.Event | None = None) -> None:
    """Whenever the gate is open, until one of both ends; then the other one ends, too."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            if gate:
                gate.wait()
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
