"""Waiters: tasks that wait, for a bounded time, until a watch has told something.

Flows in: notifications by key, from whatever a watch feeds. Flows out: every waiter of that key goes on. A waiter costs one
future, and the API server nothing. `ResourceVersionWaiters` waits for a version. Decision 15 says why.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class Waiters(Generic[KeyT]):
    """Tasks that wait for news of a key, such as the id of a client."""

    def __init__(self) -> None:
        self._waiting: dict[KeyT, set[asyncio.Future[None]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    async def wait(self, key: KeyT, seconds: float) -> bool:
        """Return whether the key is notified within so many seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(key, set())
        waiters.add(waiter)
        self._count += 1
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            return False
        finally:
            self._count -= 1
            waiters.discard(waiter)
            if not waiters and self._waiting.get(key) is waiters:
                del self._waiting[key]
        return True

    def notify(self, key: KeyT) -> None:
        """Let the waiters of this key go on."""
        for waiter in self._waiting.pop(key, ()):
            if not waiter.done():
                waiter.set_result(None)

    def notify_where(self, matches: Callable[[KeyT], bool] = lambda _: True) -> None:
        """Let the waiters of every matching key go on; by default all of them."""
        for key in [key for key in self._waiting if matches(key)]:
            self.notify(key)


class ResourceVersionWaiters:
    """The resource version that a watch-fed cache has reached, 0 before its first list, and tasks that wait for a later one.

    Resource versions of one kind are numbers that grow with each write: the API server always did it so, and promises it since
    Kubernetes 1.35 (KEP-5504). A list is of one version, and a watch tells changes in their order. So a cache that has reached
    a version holds every change up to it.
    """

    def __init__(self) -> None:
        self.version = 0
        self._waiters: Waiters[int] = Waiters()

    def reach(self, version: int) -> None:
        """Record that the cache holds every change up to this version; it is lower only where etcd was restored."""
        self.version = version
        if self._waiters:
            self._waiters.notify_where(lambda wanted: wanted <= version)

    async def until(self, version: int, seconds: float) -> bool:
        """Return whether this version is reached now or within so many seconds."""
        return self.version >= version or await self._waiters.wait(version, seconds)
