"""Bytes to a server, in pieces, and the answers that come back until it closes the connection."""

import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.support.echoing import ECHO, Address

PATIENCE_SECONDS = 2.0
PAUSE_SECONDS = 0.001
"""Between pieces, so that each is read alone; nothing is measured by it."""


class Answer(NamedTuple):
    """One final answer: interim ones (RFC 9110, section 15.2) are left out."""

    status: int
    echo: bytes | None
    closes: bool


class Exchange(NamedTuple):
    """What came back, and whether the server has closed the connection in the end."""

    answers: list[Answer]
    closed: bool

    @property
    def understood(self) -> list[bytes]:
        """What the application has got."""
        return [answer.echo for answer in self.answers if answer.echo is not None]


def exchange(address: Address, pieces: Sequence[bytes]) -> Exchange:
    """Send them and read to the end."""
    with socket.create_connection(address, PATIENCE_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(connection, pieces)
        received, closed = _receive(connection)
    return Exchange(list(_answers(received)), closed)


def _send(connection: socket.socket, pieces: Sequence[bytes]) -> None:
    """As far as the server takes it: it may have refused the beginning."""
    try:
        for piece in pieces:
            connection.sendall(piece)
            if len(pieces) > 1:
                time.sleep(PAUSE_SECONDS)
    except ConnectionError:
        pass


def _receive(connection: socket.socket) -> tuple[bytes, bool]:
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        return received, True
    except TimeoutError:
        return received, False
    return received, True


def _answers(received: bytes) -> list[Answer]:
    """All of them have a length, or come from a server that closes after them."""
    answers = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        if status.startswith(b"HTTP/1.1 1"):
            continue
        received = received[int(headers[b"content-length"]) :] if b"content-length" in headers else b""
        if status.startswith(b"HTTP/1."):
            closes = b"close" in headers.get(b"connection", b"").lower()
            answers.append(Answer(int(status.split()[1]), headers.get(ECHO), closes))
    return answers
