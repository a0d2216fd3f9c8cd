"""The socket of a server, bound before anything else is done: so it is known at once whether the address can be had."""

import socket

from agentidp.runtime.settings import Listen

BACKLOG = 2048


def listen(address: Listen) -> socket.socket:
    """A listening socket. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server(
        (address.host.strip("[]"), address.port), family=family, backlog=BACKLOG, dualstack_ipv6=_is_any(address.host)
    )


def _is_any(host: str) -> bool:
    """`[::]` takes IPv4 as well."""
    return host.strip("[]") == "::"
