"""The sockets of a server, bound before anything else is done: so it is known at once whether the addresses can be had."""

import socket

from agentidp.runtime.settings import Listen

BACKLOG = 2048


def listen(*addresses: Listen | None) -> list[socket.socket]:
    """A listening socket for each address. Raises OSError, which names the address that cannot be had."""
    return [_bound(one) for one in addresses if one]


def _bound(address: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    host = address.host.strip("[]")
    try:
        any_of_both = host == "::"
        return socket.create_server((host, address.port), family=family, backlog=BACKLOG, dualstack_ipv6=any_of_both)
    except OSError as trouble:
        raise OSError(trouble.errno, trouble.strerror, str(address)) from trouble
