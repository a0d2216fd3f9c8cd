"""Where servers listen: an address of one family, or all addresses of the machine."""

import errno
import socket
from contextlib import ExitStack

import pytest

from agentidp.http_server.sockets import listen
from agentidp.runtime.settings import Listen
from devcluster.ports import ReservedPort

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@pytest.mark.parametrize("family", LOOPBACK, ids=["IPv4", "IPv6"])
def test_sockets_for_every_host_take_clients_of_both_families_by_their_own_addresses(family: socket.AddressFamily) -> None:
    """A kubelet probes pods by the first address that they have, which is IPv6 where nodes have nothing else."""
    assert address_of_client("::", family) == LOOPBACK[family]


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_sockets_for_an_address_take_its_clients(host: str, family: socket.AddressFamily) -> None:
    """And those of no other family."""
    assert address_of_client(host, family) == LOOPBACK[family]
    with pytest.raises(ConnectionRefusedError):
        address_of_client(host, next(other for other in LOOPBACK if other is not family))


@pytest.mark.parametrize("taken", LOOPBACK, ids=["IPv4", "IPv6"])
def test_sockets_are_had_of_both_families_or_not_at_all(taken: socket.AddressFamily) -> None:
    """Of one only, the other's clients would reach another program."""
    with socket.create_server((LOOPBACK[taken], 0), family=taken) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=rf"\[::\]:{port}") as refusal:
            listen(Listen("::", port))
    assert refusal.value.errno == errno.EADDRINUSE


def address_of_client(host: str, family: socket.AddressFamily) -> str:
    """By which a server on this host knows a client of this family."""
    with ExitStack() as stack:
        reserved = ReservedPort()
        stack.callback(reserved.release)
        port = reserved.number
        servers = [stack.enter_context(one) for one in listen(Listen(host, port))]
        client = stack.enter_context(socket.create_connection((LOOPBACK[family], port)))
        server = next(one for one in servers if one.family is client.family)
        connection, peer = server.accept()
        stack.enter_context(connection)
        return str(peer[0])
