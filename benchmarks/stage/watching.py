"""A watch of the benchmark's own, which tells of every change as it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic

from agentidp.domain.resources import ObjectRef
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import Kind, ObjectT
from agentidp.kube.pager import Pager
from agentidp.kube.reflector import Reflector


class Told(Generic[ObjectT]):
    """A view that keeps nothing: each object that was there, is new, or has changed, is handed on."""

    def __init__(self, tell: Callable[[ObjectT], None]) -> None:
        self._tell = tell

    async def replace(self, listing: Pager[ObjectT]) -> None:
        """Take the objects of the first list."""
        async for values in listing:
            for value in values:
                self._tell(value)

    def put(self, value: ObjectT) -> None:
        """Take a new or changed object."""
        self._tell(value)

    def remove(self, gone: ObjectRef) -> None:
        """Ignore a deletion: no benchmark needs it."""


@asynccontextmanager
async def watching(
    cluster: KubeClient, kind: Kind[ObjectT], tell: Callable[[ObjectT], None], namespace: str
) -> AsyncIterator[None]:
    """While the block runs; the watch has begun when it is entered."""
    reflector = Reflector(cluster, kind, Told(tell), namespace=namespace)
    task = asyncio.create_task(reflector.run())
    try:
        await reflector.listed.wait()
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
