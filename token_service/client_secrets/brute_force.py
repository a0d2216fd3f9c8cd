"""The brute-force guard: checks secrets that may be guesses. Whoever knows a client's id can cause such checks.

A secret may be a guess where its hash has no hint, or where `verifier` does not trust the hint.

Flows in: secrets with the hashes that they may have. Flows out: the hash that bcrypt accepts. Guesses have one thread (see
`BcryptPools`), and each client one check at a time in it. Requests for the same client wait in a queue in which each address
has one place, so guesses do not keep out a client that knows its secret, unless it shares their address. The address is that of
the connection; headers that name another one are not believed.

Whoever may write in a namespace can declare many hashes that take long to check. So a namespace has a quarter of the queues at
most, and namespaces take turns in the thread. In each turn one hash is checked; the longer that takes, the later is the next
turn of its namespace. Clients, addresses, and the wrong secrets a second of one address are bounded. Decision 34 says why.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.runtime.pools.bcrypt_pool import Busy
from agentidp.runtime.single_flight import SingleFlight
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.client_secrets.bcrypt_pools import BcryptPools, Check
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import LIMITS, Limits

HOST_PREFIX = 64
"""Bits of an IPv6 address that name the network in which a host chooses its addresses (RFC 4291, section 2.5.1)."""


class TooManyAttempts(Exception):
    """This address has presented too many wrong secrets; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many wrong secrets")
        self.retry_after = retry_after


class ClientQueue:
    """The addresses whose secrets wait to be checked for one client, first come, first served."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.lock = asyncio.Lock()
        self.addresses: set[str] = set()


class BruteForceGuard:
    """Checks guesses one after another for each client; equal guesses are checked once."""

    def __init__(self, pools: BcryptPools, limits: Limits = LIMITS) -> None:
        self._pools = pools
        self._limits = limits
        self._failures = TokenBuckets(limits.wrong_secrets_per_second, limits.wrong_secrets_burst)
        self._queues: dict[str, ClientQueue] = {}
        self._checks: SingleFlight[tuple[bytes, tuple[str, ...]], str | None] = SingleFlight()

    def __len__(self) -> int:
        return len(self._checks)

    def queued(self, namespace: str) -> int:
        """The number of clients of this namespace whose guesses are checked or wait."""
        return sum(queue.namespace == namespace for queue in self._queues.values())

    async def match(self, presented: ClientCredentials, digest: bytes, namespace: str, hashes: tuple[str, ...]) -> str | None:
        """The one of these hashes, of a client in this namespace, that is the secret's. Raises Busy and TooManyAttempts."""
        return await self._checks.run((digest, hashes), lambda: self._check(presented, digest, namespace, hashes))

    async def _check(self, presented: ClientCredentials, digest: bytes, namespace: str, hashes: tuple[str, ...]) -> str | None:
        address = f"{presented.client_id} {host_of(presented.address)}"
        async with self._place(presented.client_id, namespace, address):
            for hashed in hashes:
                if await self._pools.matches_guess(namespace, Check(hashed, digest, presented.secret)):
                    return hashed
            self._failures.take(address)
            await asyncio.sleep(self._limits.wrong_secret_pause_seconds)
            return None

    @asynccontextmanager
    async def _place(self, client_id: str, namespace: str, address: str) -> AsyncIterator[None]:
        """Wait in the client's queue. Raises Busy where there is no place in it."""
        wait = self._failures.wait(address)
        if wait:
            raise TooManyAttempts(1 + int(wait))
        queue = self._queue(client_id, namespace)
        if address in queue.addresses or len(queue.addresses) >= self._limits.max_guarded_addresses:
            raise Busy(1)
        queue.addresses.add(address)
        try:
            async with queue.lock:
                yield
        finally:
            queue.addresses.discard(address)
            if not queue.addresses:
                del self._queues[client_id]

    def _queue(self, client_id: str, namespace: str) -> ClientQueue:
        if client_id not in self._queues and not self._has_room_for(namespace):
            raise Busy(1)
        return self._queues.setdefault(client_id, ClientQueue(namespace))

    def _has_room_for(self, namespace: str) -> bool:
        """Whether the namespace may have one more queue: for each that it has, a quarter of all queues must stay free.

        So nine namespaces are needed to have all 16 queues: 4 + 3 + 2 + 2 + 1 + 1 + 1 + 1 + 1 = 16.
        """
        max_clients, max_of_namespace = self._limits.max_guarded_clients, self._limits.max_guarded_clients_of_namespace
        return len(self._queues) < max_clients - self.queued(namespace) * max_clients // max_of_namespace


def host_of(address: str) -> str:
    """The address of an IPv4 host, and of an IPv6 host with a global address its network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, HOST_PREFIX), strict=False)) if parsed.is_global else address
