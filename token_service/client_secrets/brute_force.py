"""Guesses: checks that anybody can cause who knows a client's id, because no hint tells a wrong secret from the right one.

They have a thread of their own (see `SecretVerifier`), and each client one check at a time in it, so that no client's guessers
take it from others. Who has a guess at the same client stands in line, each address with one: so guessers do not keep out who
knows the secret, unless they share an address. It is the one that the connection comes from; what a request says of its way is
not believed.

Whoever may write in a namespace can declare many hashes that take long, and have them all checked. So a namespace has some of
the lines, and of the thread no more than its turn, which is one hash, and comes the later the longer that took.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentidp.runtime.pools.bcrypt_pool import Busy
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.client_secrets.verifier import Check, SecretVerifier
from token_service.http.client_authentication import ClientCredentials

FAILURES_PER_SECOND, FAILURES_AT_ONCE = 0.2, 10
"""Of one address at one client."""
MOST_CLIENTS, MOST_ADDRESSES = 16, 16
"""So many clients' guesses are checked in turn, and so many addresses stand in line for one client."""
CLIENTS_OF_NAMESPACE = 4
"""So many of these clients are of one namespace, and fewer the more there are of others."""
PAUSE_SECONDS = 0.2
"""After a wrong guess nobody's at this client is checked for so long: a bound for all addresses together."""
HOST_PREFIX = 64


class TooManyAttempts(Exception):
    """This address was wrong too often; `retry_after` seconds later it has another guess."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many wrong secrets")
        self.retry_after = retry_after


class ClientQueue:
    """Those who have a guess at one client, first come first served."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.turn = asyncio.Lock()
        self.sources: set[str] = set()


class BruteForceGuard:
    """Checked in turn; the same guess is checked once for all who have it."""

    def __init__(self, verifier: SecretVerifier) -> None:
        self._verifier = verifier
        self._failures = TokenBuckets(FAILURES_PER_SECOND, FAILURES_AT_ONCE)
        self._lines: dict[str, ClientQueue] = {}
        self._running: dict[tuple[bytes, tuple[str, ...]], asyncio.Task[str | None]] = {}

    async def right_one(self, pair: ClientCredentials, digest: bytes, namespace: str, hashes: tuple[str, ...]) -> str | None:
        """The one of these hashes, of a client of this namespace, that is the secret's. Raises Busy and TooManyGuesses."""
        key = digest, hashes
        guess = self._running.get(key)
        if guess is None:
            guess = self._running[key] = asyncio.create_task(self._check(pair, digest, namespace, hashes))
            guess.add_done_callback(lambda _: self._running.pop(key))
        return await asyncio.shield(guess)

    async def _check(self, pair: ClientCredentials, digest: bytes, namespace: str, hashes: tuple[str, ...]) -> str | None:
        source = f"{pair.client_id} {host_of(pair.address)}"
        async with self._turn(pair.client_id, namespace, source):
            for hashed in hashes:
                if await self._verifier.matches_guess(namespace, Check(hashed, digest, pair.secret)):
                    return hashed
            self._failures.take(source)
            await asyncio.sleep(PAUSE_SECONDS)
            return None

    @asynccontextmanager
    async def _turn(self, client_id: str, namespace: str, source: str) -> AsyncIterator[None]:
        wait = self._failures.wait(source)
        if wait:
            raise TooManyAttempts(1 + int(wait))
        line = self._line(client_id, namespace)
        if source in line.sources or len(line.sources) >= MOST_ADDRESSES:
            raise Busy(1)
        line.sources.add(source)
        try:
            async with line.turn:
                yield
        finally:
            line.sources.discard(source)
            if not line.sources:
                del self._lines[client_id]

    def _line(self, client_id: str, namespace: str) -> ClientQueue:
        if client_id not in self._lines and not self._has_room_for_one_of(namespace):
            raise Busy(1)
        return self._lines.setdefault(client_id, ClientQueue(namespace))

    def _has_room_for_one_of(self, namespace: str) -> bool:
        """For each that it has, it leaves a quarter of all free: so it takes nine namespaces to have all of them."""
        of_namespace = sum(line.namespace == namespace for line in self._lines.values())
        return len(self._lines) < MOST_CLIENTS - of_namespace * MOST_CLIENTS // CLIENTS_OF_NAMESPACE


def host_of(address: str) -> str:
    """An address, or of an IPv6 one of the internet the network that a host chooses its addresses from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, HOST_PREFIX), strict=False)) if parsed.is_global else address
