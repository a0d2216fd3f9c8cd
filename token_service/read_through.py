"""Ask the API server itself about a client that the index does not know, or not with this secret.

The operator publishes a hash before it delivers the Secret, but a pod may be quicker than a watch. An answer is never older
than the question: whoever asks while a look-up runs gets the next one. It serves the requests that asked and is not kept: the
watch brings the same, and cannot be overtaken by it.

A flood of unknown clients must not become one at the API server, so there is a budget for strangers, another one for clients
that are known, and a small one for each client. Whoever gets no look-up waits for the watch.
"""

import asyncio
from collections.abc import Awaitable, Callable

from agentidp.kube.errors import Unreachable
from agentidp.serving.buckets import Buckets
from token_service.index.clients import ClientIndex

TIMEOUT_SECONDS = 2.0
PER_SECOND, BURST = 20, 200
PER_SECOND_AND_CLIENT, BURST_OF_CLIENT = 2, 8
STRANGERS, KNOWN = "strangers", "known"

LookUp = Callable[[str], Awaitable[ClientIndex]]
"""An index of one client, by its id, as the API server has it now. Raises ApiError."""


class ReadThrough:
    """Look-ups, shared by those who ask for the same client at the same time."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._totals = Buckets(PER_SECOND, BURST)
        self._of_client = Buckets(PER_SECOND_AND_CLIENT, BURST_OF_CLIENT)
        self._waiting: dict[str, asyncio.Task[ClientIndex]] = {}
        self._running: dict[str, asyncio.Task[ClientIndex]] = {}

    async def client(self, client_id: str, *, known: bool) -> ClientIndex | None:
        """What the API server has of this client, or None where it may not be asked now. Raises ApiError."""
        turn = self._waiting.get(client_id)
        if turn is None:
            if not self._totals.take(KNOWN if known else STRANGERS) or not self._of_client.take(client_id):
                return None
            turn = asyncio.create_task(self._take_turn(client_id, self._running.get(client_id)))
            self._waiting[client_id] = turn
        return await asyncio.shield(turn)

    async def _take_turn(self, client_id: str, previous: asyncio.Task[ClientIndex] | None) -> ClientIndex:
        if previous:
            await asyncio.wait([previous])
        turn = self._waiting.pop(client_id)
        self._running[client_id] = turn
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._look_up(client_id)
        except TimeoutError as late:
            raise Unreachable("the API server did not answer in time") from late
        finally:
            if self._running.get(client_id) is turn:
                del self._running[client_id]
