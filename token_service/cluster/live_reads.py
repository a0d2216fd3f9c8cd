"""Ask the API server itself about a client that the index does not know, or not with this secret.

The operator publishes a hash before it delivers the Secret, but a pod may be quicker than a watch. An answer is never older
than the question: whoever asks while a look-up runs gets the next one. It serves the requests that asked and is not kept: the
watch brings the same, and cannot be overtaken by it. Once the watch has told more of the client than it had when the API server
was asked, the answer may be the older of both, and counts no more.

A flood of unknown clients must not become one at the API server. So there is a budget for strangers, one for clients that are
known, and one for clients of which only a token of ours tells. Of the known ones each namespace has a quarter at most, and each
client a small part. Nor must a client be one whose objects take long to read. Whoever gets no look-up waits for the watch.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import Struct

from agentidp.domain.identity.clients import Client
from agentidp.kube.errors import TooLarge, Unreachable
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.cluster.clients import ClientIndex

TIMEOUT_SECONDS = 2.0
PER_SECOND, BURST = 20, 200
PER_SECOND_AND_NAMESPACE, BURST_OF_NAMESPACE = 5, 50
PER_SECOND_AND_CLIENT, BURST_OF_CLIENT = 2, 8
STRANGERS, KNOWN, TOKEN_HOLDERS = "strangers", "known", "holders of tokens"

LookUp = Callable[[str], Awaitable[ClientIndex]]
"""An index of one client, by its id, as the API server has it now. Raises ApiError: TooLarge where that is too much."""


class LiveRead(Struct, frozen=True):
    """What the API server has of a client, and what the watch had told of it when that was asked for."""

    index: ClientIndex
    told: Client | None


class LiveReader:
    """Look-ups, shared by those who ask for the same client at the same time. `index` is what the watch has told."""

    def __init__(self, look_up: LookUp, index: ClientIndex) -> None:
        self._look_up = look_up
        self._index = index
        self._totals = TokenBuckets(PER_SECOND, BURST)
        self._of_namespace = TokenBuckets(PER_SECOND_AND_NAMESPACE, BURST_OF_NAMESPACE)
        self._of_client = TokenBuckets(PER_SECOND_AND_CLIENT, BURST_OF_CLIENT)
        self._short_until = 0.0
        """Until then the clients of some namespace could not be looked up."""
        self._waiting: dict[str, asyncio.Task[LiveRead | None]] = {}
        self._running: dict[str, asyncio.Task[LiveRead | None]] = {}

    @property
    def is_short(self) -> bool:
        """Whether some clients, known ones or strangers, cannot be looked up now."""
        return time.monotonic() < self._short_until or any(self._totals.wait(key) for key in (STRANGERS, KNOWN))

    async def client(self, client_id: str, *, exists: bool = False) -> LiveRead | None:
        """What the API server has of this client, or None where it may not be asked now, or has too much. Raises ApiError.

        `exists`: it is no stranger, though the watch may not have told.
        """
        turn = self._waiting.get(client_id)
        if turn is None:
            if not self._takes(client_id, exists=exists):
                return None
            turn = asyncio.create_task(self._take_turn(client_id, self._running.get(client_id)))
            self._waiting[client_id] = turn
        return await asyncio.shield(turn)

    def is_overtaken(self, client_id: str, looked_up: LiveRead) -> bool:
        """Whether the watch has told more of this client since it was looked up."""
        return self._index.client(client_id) != looked_up.told

    async def latest(self, client_id: str, *, exists: bool = False) -> ClientIndex:
        """The API server's word on this client; that of the watch where the API server may not be asked. Raises ApiError."""
        while looked_up := await self.client(client_id, exists=exists):
            if not self.is_overtaken(client_id, looked_up):
                return looked_up.index
        return self._index

    def _takes(self, client_id: str, *, exists: bool) -> bool:
        """One look-up of all; what the client's own or its namespace's share does not allow is not taken from the others."""
        agent = self._index.agent(client_id)
        if agent is None:
            total = TOKEN_HOLDERS if exists else STRANGERS
            return not self._totals.wait(total) and self._of_client.take(client_id) and self._totals.take(total)
        if wait := self._of_namespace.wait(agent.namespace):
            self._short_until = time.monotonic() + wait
            return False
        if self._totals.wait(KNOWN) or not self._of_client.take(client_id):
            return False
        return self._of_namespace.take(agent.namespace) and self._totals.take(KNOWN)

    async def _take_turn(self, client_id: str, previous: asyncio.Task[LiveRead | None] | None) -> LiveRead | None:
        if previous:
            await asyncio.wait([previous])
        turn = self._waiting.pop(client_id)
        self._running[client_id] = turn
        told = self._index.client(client_id)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return LiveRead(await self._look_up(client_id), told)
        except TooLarge:
            return None
        except TimeoutError as late:
            raise Unreachable("the API server did not answer in time") from late
        finally:
            if self._running.get(client_id) is turn:
                del self._running[client_id]
