"""The keys that the cluster's ServiceAccount tokens are verified with: fetched before they are needed, and kept.

They are refreshed now and then, so that a key that was withdrawn is believed no longer; and at once where a token names one
that is not known, but at most once a second, whatever is shown. While the API server is away, those at hand are used.

They are read from the API server's own paths, whatever `jwks_uri` its discovery document names: that may be for others.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from agentidp.domain.tokens.client_assertions import TokenIssuer, token_issuer
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Unreachable

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"
REFRESH_SECONDS = 300.0
SECONDS_BETWEEN = 1.0
TIMEOUT_SECONDS = 2.0
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0

Fetch = Callable[[], Awaitable[TokenIssuer]]
"""Reads them from the API server. Raises ApiError."""

log = structlog.get_logger()


class IssuerDiscovery:
    """Reads the issuer and its keys from one API server."""

    def __init__(self, cluster: KubeClient) -> None:
        self._cluster = cluster

    async def __call__(self) -> TokenIssuer:
        """The issuer and its keys as they are now. Raises ApiError."""
        discovery, keys = await asyncio.gather(*(self._cluster.request("GET", path) for path in (DISCOVERY, KEYS)))
        try:
            return token_issuer(discovery, keys)
        except msgspec.DecodeError as trouble:
            raise Unreachable(f"{DISCOVERY} or {KEYS} is not what it should be: {trouble}") from trouble


class IssuerKeys:
    """What is known of who signs the cluster's ServiceAccount tokens."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: TokenIssuer | None = None
        self._asked_at = float("-inf")
        self._next: asyncio.Task[TokenIssuer] | None = None

    @property
    def known(self) -> TokenIssuer | None:
        """The issuer as it was last read; None until it was."""
        return self._known

    async def issuer_with(self, key_id: str) -> TokenIssuer:
        """The issuer, asked anew where this key of it is not known. Raises ApiError."""
        if self._known and key_id in self._known.keys:
            return self._known
        return await self.refresh()

    async def refresh(self) -> TokenIssuer:
        """The issuer as it is after this moment; shared by all who ask meanwhile. Raises ApiError."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
        return await asyncio.shield(self._next)

    async def keep(self) -> None:
        """For ever: have the keys, and not for too long. Trouble is logged and waited out."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                await self.refresh()
                backoff = FIRST_BACKOFF
                await asyncio.sleep(REFRESH_SECONDS)
            except ApiError as trouble:
                log.warning("the keys of ServiceAccount tokens cannot be read", why=str(trouble), next_try_in=backoff)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)

    async def _ask(self) -> TokenIssuer:
        await asyncio.sleep(self._asked_at + SECONDS_BETWEEN - time.monotonic())
        self._next = None  # who asks from now on may mean a key that is newer than this answer
        self._asked_at = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                self._known = await self._fetch()
        except TimeoutError as late:
            raise Unreachable("the API server did not answer in time") from late
        return self._known
