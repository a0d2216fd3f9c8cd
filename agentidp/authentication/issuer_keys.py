"""Issuer keys: the issuer of the cluster's ServiceAccount tokens, and the public keys that verify them.

Flows in: the API server's discovery document and JWK Set, from its own paths, whatever `jwks_uri` the document names: that may
be for other clients. Flows out: the issuer with a key, read before it is needed. Concurrent callers share one read. Bounded:
one read begins a second, however many unknown keys tokens name. Periodic reads end the use of a withdrawn key. Reads may
overlap, and may end in another order than they began: the read that began last decides. While the API server is away, the last
keys stay in use.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import structlog

from agentidp.domain.tokens.client_assertions import TokenIssuer, token_issuer
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Unreachable
from agentidp.runtime.single_flight import SingleFlight

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"

Fetch = Callable[[], Awaitable[TokenIssuer]]
"""Reads the issuer and its keys. Raises ApiError."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How often the keys are read, in seconds."""

    refresh_seconds: float = 300.0
    """Between two periodic reads."""
    seconds_between: float = 1.0
    """At least between the begins of two reads."""
    timeout_seconds: float = 2.0
    """For one read."""
    min_backoff: float = 1.0
    """Before the next periodic read after a failure; it doubles with each failure."""
    max_backoff: float = 60.0


LIMITS = Limits()


class IssuerDiscovery:
    """Reads the issuer and its keys from one API server."""

    def __init__(self, cluster: KubeClient) -> None:
        self._cluster = cluster

    async def __call__(self) -> TokenIssuer:
        """The issuer and its keys as they are now. Raises ApiError."""
        discovery, keys = await asyncio.gather(*(self._cluster.request("GET", path) for path in (DISCOVERY, KEYS)))
        try:
            return token_issuer(discovery, keys)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{DISCOVERY} or {KEYS} is not what it should be: {error}") from error


class IssuerKeys:
    """The issuer as it was last read."""

    def __init__(self, fetch: Fetch, limits: Limits = LIMITS) -> None:
        self._fetch = fetch
        self._limits = limits
        self._reads: SingleFlight[None, TokenIssuer] = SingleFlight()
        self._began_at = float("-inf")
        self._begun = 0
        self._known_by = 0
        self._known: TokenIssuer | None = None

    @property
    def known(self) -> TokenIssuer | None:
        """The issuer as it was last read; None before the first read."""
        return self._known

    async def issuer_with(self, key_id: str) -> TokenIssuer:
        """The issuer, read again where it has no key of this id. Raises ApiError."""
        if self._known and key_id in self._known.keys:
            return self._known
        return await self.refresh()

    async def refresh(self) -> TokenIssuer:
        """The issuer as it is after this call; concurrent callers share one read. Raises ApiError."""
        return await self._reads.run(None, self._read)

    async def keep(self) -> None:
        """Read the issuer at the start and then periodically, without end. A failure is logged, and tried again later."""
        backoff = self._limits.min_backoff
        while True:
            try:
                await self.refresh()
                backoff = self._limits.min_backoff
                await asyncio.sleep(self._limits.refresh_seconds)
            except ApiError as error:
                log.warning("the keys of ServiceAccount tokens cannot be read", why=str(error), next_try_in=backoff)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, self._limits.max_backoff)

    async def _read(self) -> TokenIssuer:
        await asyncio.sleep(self._began_at + self._limits.seconds_between - time.monotonic())
        self._reads.forget(None)  # a later caller may mean a key that is newer than this answer
        self._began_at = time.monotonic()
        self._begun += 1
        number = self._begun
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                issuer = await self._fetch()
        except TimeoutError as error:
            raise Unreachable("the API server did not answer in time") from error
        return self._newest(number, issuer)

    def _newest(self, number: int, issuer: TokenIssuer) -> TokenIssuer:
        """Keep what this read returned, unless a read that began later has returned before it. Return what is known then."""
        if self._known is None or number > self._known_by:
            self._known, self._known_by = issuer, number
        return self._known
