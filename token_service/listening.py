"""The sockets of all processes, bound before they are forked: those that they share, and one for each that its peers know."""

import socket

from agentidp.serving.listening import listen
from token_service.settings import TokenServiceSettings

LOOPBACK = "127.0.0.1"


class Listening:
    """Raises OSError where an address cannot be had."""

    def __init__(self, settings: TokenServiceSettings) -> None:
        several = range(settings.processes) if settings.processes > 1 else ()
        self._shared = listen(settings.listen, settings.metrics_listen)
        self._own = [socket.create_server((LOOPBACK, 0)) for _ in several]

    def sockets_of(self, number: int) -> list[socket.socket]:
        """Where this process answers."""
        return [*self._shared, *self._own[number : number + 1]]

    def peers_of(self, number: int) -> list[str]:
        """The base URLs of the other processes."""
        others = [one for place, one in enumerate(self._own) if place != number]
        return [f"http://{LOOPBACK}:{one.getsockname()[1]}" for one in others]
