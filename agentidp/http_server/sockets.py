"""The sockets of a server, bound before anything else is done: so it is known at once whether the addresses can be had."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from agentidp.runtime.settings import Listen

BACKLOG = 2048
EVERY_HOST = "::"
"""Stands for all addresses of this machine, IPv4 and IPv6."""
UNSPECIFIED = {socket.AF_INET6: "::", socket.AF_INET: "0.0.0.0"}  # noqa: S104 the caller asks for all addresses


def listen(*addresses: Listen | None) -> list[socket.socket]:
    """Listening sockets for each address. Raises OSError, which names the address that cannot be had."""
    with ExitStack() as bound:
        sockets = [bound.enter_context(one) for address in addresses if address for one in _bound(address)]
        bound.pop_all()  # all could be had: they stay open
    return sockets


def _bound(address: Listen) -> Iterator[socket.socket]:
    """One socket, or one for each family: on one for both, IPv4 clients would have addresses that look like IPv6."""
    for family, host in _names(address.host):
        try:
            yield socket.create_server((host, address.port), family=family, backlog=BACKLOG)
        except OSError as trouble:
            raise OSError(trouble.errno, trouble.strerror, str(address)) from trouble


def _names(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if host == EVERY_HOST:
        return [(family, name) for family, name in UNSPECIFIED.items() if _is_supported(family)]
    return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]


def _is_supported(family: socket.AddressFamily) -> bool:
    """Whether the kernel has this family; some are started without IPv6."""
    with suppress(OSError), socket.socket(family):
        return True
    return False
