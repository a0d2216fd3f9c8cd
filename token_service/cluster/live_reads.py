"""Live reads: what the API server has of a client that the cluster cache does not have, or not with this secret.

The operator publishes a hash before it delivers the Secret, and a pod may use its Secret before the watch reports the hash.
Flows in: a client id. Flows out: views of the client, each newer than the one before. A live read is never older than its
request: requests that come while a read runs share the next one. Its result serves these requests and is not kept, because the
watch brings the same. Once the watch has reported more of the client than it had when the read began, the read may be the older
of both, and is superseded.

Bounded are reads, so that a flood of unknown clients is no flood of reads: there is a budget for unknown clients, one for
clients in the cluster cache, and one for clients that only a token of ours names. Of the second, a namespace has a quarter at
most. Each client has a small part of its budget, and `live_lookups.ClientLookup` bounds the bytes of a read. A request without
a live read waits for the watch; how long, and how many wait, is bounded, too.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from msgspec import Struct

from agentidp.domain.identity.clients import Client
from agentidp.kube.errors import TooLarge, Unreachable
from agentidp.runtime.single_flight import SingleFlight
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.cluster.cache import ClientIndex
from token_service.limits import LIMITS, Limits

UNKNOWN, CACHED, NAMED_BY_TOKEN = "unknown", "cached", "named by a token"

LookUp = Callable[[str], Awaitable[ClientIndex]]
"""An index of one client, by its id, as the API server has it now. Raises ApiError: TooLarge where that is too much."""


class TooManyWaiting(Exception):
    """Too many requests wait for the watch already."""


class LiveRead(Struct, frozen=True):
    """What the API server has of a client, and what the cluster cache had of it when the read began."""

    index: ClientIndex
    cached: Client | None


class View(Struct, frozen=True):
    """What the cluster has of a client: the cluster cache itself, or a live read."""

    clients: ClientIndex
    is_live: bool = False
    is_current: Callable[[], bool] = lambda: True
    """Whether the watch has reported nothing of the client since a live read began."""


class LiveReader:
    """Reads clients from the API server, within budgets; `clients` is the cluster cache."""

    def __init__(self, look_up: LookUp, clients: ClientIndex, limits: Limits = LIMITS) -> None:
        self._look_up = look_up
        self._clients = clients
        self._timeout_seconds = limits.live_read_timeout_seconds
        self._totals = TokenBuckets(limits.live_reads_per_second, limits.live_reads_burst)
        self._of_namespace = TokenBuckets(limits.live_reads_of_namespace_per_second, limits.live_reads_of_namespace_burst)
        self._of_client = TokenBuckets(limits.live_reads_of_client_per_second, limits.live_reads_of_client_burst)
        self._short_until = 0.0
        """Until then a namespace has used up its reads."""
        self._waiting: SingleFlight[str, LiveRead | None] = SingleFlight()
        """Reads that begin after the present one of their client."""
        self._running: dict[str, asyncio.Task[Any] | None] = {}

    @property
    def is_short(self) -> bool:
        """Whether reads are used up for some clients, unknown or cached ones."""
        return time.monotonic() < self._short_until or any(self._totals.wait(sort) for sort in (UNKNOWN, CACHED))

    async def read(self, client_id: str, *, exists: bool = False) -> LiveRead | None:
        """What the API server has of this client; None where the budget is used up, or the client is too large.

        `exists`: a token of ours names the client, though the cluster cache may not have it. Raises ApiError.
        """
        if not self._waiting.running(client_id) and not self._takes(client_id, exists=exists):
            return None
        previous = self._running.get(client_id)
        return await self._waiting.run(client_id, lambda: self._read_after(previous, client_id))

    def is_superseded(self, client_id: str, read: LiveRead) -> bool:
        """Whether the watch has reported more of this client since the read began."""
        return self._clients.client(client_id) != read.cached

    async def latest(self, client_id: str, *, exists: bool = False) -> ClientIndex:
        """The API server's state of this client, or the cluster cache where that is newer or no read is allowed.

        Raises ApiError.
        """
        while read := await self.read(client_id, exists=exists):
            if not self.is_superseded(client_id, read):
                return read.index
        return self._clients

    def _takes(self, client_id: str, *, exists: bool) -> bool:
        """Take one read of the total, unless the share of the client or of its namespace forbids it."""
        agent = self._clients.agent(client_id)
        if agent is None:
            total = NAMED_BY_TOKEN if exists else UNKNOWN
            return not self._totals.wait(total) and self._of_client.take(client_id) and self._totals.take(total)
        if wait := self._of_namespace.wait(agent.namespace):
            self._short_until = time.monotonic() + wait
            return False
        if self._totals.wait(CACHED) or not self._of_client.take(client_id):
            return False
        return self._of_namespace.take(agent.namespace) and self._totals.take(CACHED)

    async def _read_after(self, previous: asyncio.Task[Any] | None, client_id: str) -> LiveRead | None:
        if previous:
            await asyncio.wait([previous])
        self._waiting.forget(client_id)  # a later caller needs a read that begins after its call
        task = self._running[client_id] = asyncio.current_task()
        cached = self._clients.client(client_id)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return LiveRead(await self._look_up(client_id), cached)
        except TooLarge:
            return None
        except TimeoutError as late:
            raise Unreachable("the API server did not answer in time") from late
        finally:
            if self._running.get(client_id) is task:
                del self._running[client_id]


class LiveRecheck:
    """Views of a client that the cluster cache alone would reject."""

    def __init__(self, clients: ClientIndex, reader: LiveReader, limits: Limits = LIMITS) -> None:
        self._clients = clients
        self._reader = reader
        self._patience_seconds = limits.recheck_patience_seconds
        self._max_waiting = limits.max_recheck_waiters

    async def views(self, client_id: str) -> AsyncGenerator[View]:
        """Yield views of this client, each newer than the one before, until none can be newer in time.

        The consumer stops at the view by which it accepts the client. After a live read that was not superseded only a shortage
        of reads leads to further views: then all rejections wait equally long, so that time does not tell unknown clients from
        cached ones. Raises ApiError and TooManyWaiting.
        """
        deadline, is_short = time.monotonic() + self._patience_seconds, self._reader.is_short
        # 1. Live views, until one is not superseded. After a superseded one, the cluster cache is the newer view.
        while read := await self._reader.read(client_id):
            yield self._live_view(client_id, read)
            if not self._reader.is_superseded(client_id, read):
                break
            yield View(self._clients)
        if read and not is_short:
            return
        # 2. Without a live read, the cluster cache.
        if not read:
            async for view in self._cached_views(client_id):
                yield view
        if len(self._clients.changes) >= self._max_waiting:
            raise TooManyWaiting
        # 3. The cluster cache after each change that the watch reports, until the deadline.
        while await self._clients.changes.wait(client_id, deadline - time.monotonic()):
            async for view in self._cached_views(client_id):
                yield view

    def _live_view(self, client_id: str, read: LiveRead) -> View:
        return View(read.index, is_live=True, is_current=lambda: not self._reader.is_superseded(client_id, read))

    async def _cached_views(self, client_id: str) -> AsyncGenerator[View]:
        """Yield the cluster cache until it stays the same while the consumer examines it: nobody waits meanwhile."""
        while True:
            before = self._clients.client(client_id)
            yield View(self._clients)
            if self._clients.client(client_id) == before:
                return
