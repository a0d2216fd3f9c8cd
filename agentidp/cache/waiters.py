"""Who waits for news of a client: a request that came before the watch did."""

import asyncio
from collections import defaultdict


class Waiters:
    """Wakes those who wait for a client. Waiting costs the API server nothing."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    async def next(self, client_id: str, seconds: float) -> bool:
        """Whether something of this client, or of everybody, changed within so many seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiting[client_id]
        waiters.add(waiter)
        self._count += 1
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            return False
        finally:
            self._count -= 1
            waiters.discard(waiter)
            if not waiters and self._waiting.get(client_id) is waiters:
                del self._waiting[client_id]
        return True

    def wake(self, client_id: str | None) -> None:
        """Something of this client changed; None: of anybody."""
        if not self._waiting:
            return
        concerned = list(self._waiting) if client_id is None else [client_id]
        for one in concerned:
            for waiter in self._waiting.pop(one, ()):
                if not waiter.done():
                    waiter.set_result(None)
