"""The secrets that are being made: hashing takes a core for as long as it takes, so callers take turns by their tenants."""

import asyncio

from agentidp.runtime.pools.fair_queue import FairQueue
from agentidp.runtime.pools.secret_generator import GeneratedSecret, SecretGenerator
from management_api.errors import unavailable


class BoundedGenerator:
    """At most `queue` secrets wait to be made, and a tenant's secrets leave places for those of others (see `FairQueue`)."""

    def __init__(self, threads: int, cost: int, queue: int) -> None:
        self._maker = SecretGenerator(threads, cost)
        self._threads = threads
        self._queue = queue
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue(max_running=threads)
        self._running = 0

    @property
    def in_the_making(self) -> int:
        """How many are being hashed, or wait for it."""
        return self._running + len(self._waiting)

    async def make(self, tenant: str) -> GeneratedSecret:
        """A secret, for whichever credential. Raises Failure."""
        await self._turn_of(tenant)
        try:
            return await self._maker.make("")
        finally:
            self._done(tenant)

    async def _turn_of(self, tenant: str) -> None:
        """Wait for it; who is cancelled meanwhile leaves the line, or passes the turn on."""
        if not self._waiting.admits(tenant, self._queue):
            raise unavailable("Too many secrets are being made. Nothing was done.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(tenant, turn)
        self._start()
        try:
            await turn
        except asyncio.CancelledError:
            if not self._waiting.discard(tenant, turn):
                self._done(tenant)
            raise

    def _start(self) -> None:
        while self._running < self._threads and (turn := self._waiting.take()):
            self._running += 1
            if not turn.done():
                turn.set_result(None)

    def _done(self, tenant: str) -> None:
        self._running -= 1
        self._waiting.done(tenant)
        self._start()
