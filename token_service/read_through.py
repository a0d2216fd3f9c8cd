"""Ask the API server itself about a client that the index does not know, or not with this secret.

The operator publishes a hash before it delivers the Secret, but a pod may be quicker than a watch. An answer is never older
than the question: whoever asks while a look-up runs gets the next one. It serves the requests that asked and is not kept: the
watch brings the same, and cannot be overtaken by it.

A flood of unknown clients must not become one at the API server, for which a look-up is the more work the more objects there
are. So look-ups may take a share of the time, one for strangers and another for clients that are known; and each client has a
few of its own. Whoever gets no look-up waits for the watch.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from agentidp.kube.errors import Unreachable
from token_service.index.clients import ClientIndex
from token_service.limits import Buckets

TIMEOUT_SECONDS = 2.0
SHARE, RESERVE_SECONDS = 0.2, 5.0
"""Seconds of look-ups in a second, and how many may be taken in advance after a quiet time."""
AT_ONCE = 16
PER_SECOND_AND_CLIENT, BURST_OF_CLIENT = 2, 8
STRANGERS, KNOWN = "strangers", "known"

LookUp = Callable[[str], Awaitable[ClientIndex]]
"""An index of one client, by its id, as the API server has it now. Raises ApiError."""


class ReadThrough:
    """Look-ups, shared by those who ask for the same client at the same time."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._shares = Buckets(SHARE, RESERVE_SECONDS)
        self._of_client = Buckets(PER_SECOND_AND_CLIENT, BURST_OF_CLIENT)
        self._waiting: dict[str, asyncio.Task[ClientIndex]] = {}
        self._running: dict[str, asyncio.Task[ClientIndex]] = {}

    async def client(self, client_id: str, *, known: bool) -> ClientIndex | None:
        """What the API server has of this client, or None where it may not be asked now. Raises ApiError."""
        turn = self._waiting.get(client_id)
        if turn is None:
            share = KNOWN if known else STRANGERS
            if not self._may_ask(client_id, share):
                return None
            turn = asyncio.create_task(self._take_turn(client_id, share, self._running.get(client_id)))
            self._waiting[client_id] = turn
        return await asyncio.shield(turn)

    def _may_ask(self, client_id: str, share: str) -> bool:
        busy = len(self._waiting) + len(self._running) >= AT_ONCE
        return not busy and not self._shares.is_empty(share) and self._of_client.take(client_id)

    async def _take_turn(self, client_id: str, share: str, previous: asyncio.Task[ClientIndex] | None) -> ClientIndex:
        if previous:
            await asyncio.wait([previous])
        turn = self._waiting.pop(client_id)
        self._running[client_id] = turn
        began = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._look_up(client_id)
        except TimeoutError as late:
            raise Unreachable("the API server did not answer in time") from late
        finally:
            self._shares.charge(share, time.monotonic() - began)
            if self._running.get(client_id) is turn:
                del self._running[client_id]
