"""The sockets of all processes, bound before they are forked: one that they share, and one for each that its peers know."""

import socket

from agentidp.runtime.settings import Listen

LOOPBACK = "127.0.0.1"
BACKLOG = 2048


class Listening:
    """Raises OSError where the address cannot be had."""

    def __init__(self, listen: Listen, processes: int) -> None:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        self._shared = socket.create_server(
            (listen.host.strip("[]"), listen.port), family=family, backlog=BACKLOG, dualstack_ipv6=_is_any(listen.host)
        )
        self._own = [socket.create_server((LOOPBACK, 0)) for _ in range(processes)] if processes > 1 else []

    def sockets_of(self, number: int) -> list[socket.socket]:
        """Where this process answers."""
        return [self._shared, *self._own[number : number + 1]]

    def peers_of(self, number: int) -> list[str]:
        """The base URLs of the other processes."""
        others = [one for place, one in enumerate(self._own) if place != number]
        return [f"http://{LOOPBACK}:{one.getsockname()[1]}" for one in others]


def _is_any(host: str) -> bool:
    """`[::]` takes IPv4 as well."""
    return host.strip("[]") == "::"
