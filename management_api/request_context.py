"""What a request hands down to the operations, and the tasks in which the changes run that requests begin."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from management_api.auth.authorization import Caller
from management_api.cache.metadata import audit_annotations

ResultT = TypeVar("ResultT")

Change = Callable[[], Coroutine[Any, Any, ResultT]]
"""Begins an operation that writes."""


@dataclass(frozen=True)
class RequestContext:
    """One request of an authenticated caller."""

    caller: Caller
    request_id: str
    is_disconnected: Callable[[], Awaitable[bool]]
    """Tells whether the client has closed the connection, and so gets no answer."""

    def annotations(self) -> dict[str, str]:
        """Return the audit annotations of a change that this request makes now."""
        return audit_annotations(self.caller.name, self.request_id)


class ChangeTasks:
    """Runs each change to its end, even where its request is cancelled: a change that stops half-way leaves no owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, change: Change[ResultT], slot: AbstractContextManager[None] | None = None) -> ResultT:
        """Return the result of the change. The slot is held until the change ends. Raises what the change raises."""
        task = asyncio.create_task(_run(change, slot or nullcontext()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait until all changes have ended, at most this long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)


async def _run(change: Change[ResultT], slot: AbstractContextManager[None]) -> ResultT:
    with slot:
        return await change()
