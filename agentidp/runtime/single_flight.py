"""Single-flight: concurrent calls for one key share one execution, like Go's `singleflight.Group`.

Flows in: calls, each with a key and the coroutine function that answers it. Flows out: one result, or one exception, for all
callers of a key who come before the execution ends. A cancelled caller leaves the execution to the others. Its users bound how
many keys there are at a time; each has one task.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ResultT = TypeVar("ResultT")


class SingleFlight(Generic[KeyT, ResultT]):
    """Executions by key, each shared by its callers."""

    def __init__(self) -> None:
        self._tasks: dict[KeyT, asyncio.Task[ResultT]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def running(self, key: KeyT) -> asyncio.Task[ResultT] | None:
        """The execution that a call for this key would share."""
        task = self._tasks.get(key)
        return None if task is None or task.done() else task

    async def run(self, key: KeyT, call: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Return the result of the running execution, or of a new one. Raises what `call` raises."""
        return await asyncio.shield(self.running(key) or self._begin(key, call))

    def forget(self, key: KeyT) -> None:
        """Let the next call for this key begin a new execution, as long as the present one may be older than that call."""
        self._tasks.pop(key, None)

    def _begin(self, key: KeyT, call: Callable[[], Coroutine[Any, Any, ResultT]]) -> asyncio.Task[ResultT]:
        task = self._tasks[key] = asyncio.create_task(call())
        task.add_done_callback(lambda _: self._end(key, task))
        return task

    def _end(self, key: KeyT, task: asyncio.Task[ResultT]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
