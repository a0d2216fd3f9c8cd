"""How far a view has come, by resource versions, and who waits for it to come further.

Resource versions of one kind are numbers that grow with each write: what the API server always did, and promises since
Kubernetes 1.35 (KEP-5504). A list is of one version and a watch tells changes in their order, so whoever has reached a version
knows every change up to it.
"""

import asyncio


class ResourceVersionWaiters:
    """The version that a view has reached; 0 before it has listed anything."""

    def __init__(self) -> None:
        self.version = 0
        self._waiting: dict[asyncio.Future[None], int] = {}

    def reach(self, version: int) -> None:
        """All that happened up to this version is in the view. It is a lower one only where the store was restored."""
        self.version = version
        for waiter, wanted in list(self._waiting.items()) if self._waiting else ():
            if wanted <= version and not waiter.done():
                waiter.set_result(None)

    async def until(self, version: int, seconds: float) -> bool:
        """Whether this version is reached now or within so many seconds."""
        if self.version >= version:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = version
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            return False
        finally:
            del self._waiting[waiter]
        return True
