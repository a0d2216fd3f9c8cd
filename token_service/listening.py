"""The sockets of all processes, bound before they are forked: one that they share, and one for each that its peers know."""

import socket

from agentidp.runtime.settings import Listen
from agentidp.serving.listening import listen as bound

LOOPBACK = "127.0.0.1"


class Listening:
    """Raises OSError where the address cannot be had."""

    def __init__(self, listen: Listen, processes: int) -> None:
        self._shared = bound(listen)
        self._own = [socket.create_server((LOOPBACK, 0)) for _ in range(processes)] if processes > 1 else []

    def sockets_of(self, number: int) -> list[socket.socket]:
        """Where this process answers."""
        return [self._shared, *self._own[number : number + 1]]

    def peers_of(self, number: int) -> list[str]:
        """The base URLs of the other processes."""
        others = [one for place, one in enumerate(self._own) if place != number]
        return [f"http://{LOOPBACK}:{one.getsockname()[1]}" for one in others]
