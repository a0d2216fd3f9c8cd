"""A caller without any credential who hides a request in the body of another, for the next caller's request to complete."""

import socket
import time

from tests.support.echoing import Address

PAUSES = (0.0, 0.0003, 0.0006, 0.001, 0.002, 0.003)
"""Seconds between head and body, so that the proxy sends the head on alone, and the body before the answer comes."""


def smuggle(proxy: Address, method: str, path: str, upgrade: str, pause: float) -> bytes:
    """The answer to the request around it."""
    hidden = f"{method} {path} HTTP/1.1\r\nHost: management\r\nX-Swallowed: ".encode()
    lines = ["POST /healthz HTTP/1.1", "Host: management", "Connection: Upgrade", f"Upgrade: {upgrade}"]
    head = "\r\n".join([*lines, f"Content-Length: {len(hidden)}", "", ""]).encode()
    with socket.create_connection(proxy, 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head)
        time.sleep(pause)
        connection.sendall(hidden)
        return connection.recv(65_536)
