"""Who asks in one request, and the parts that every call needs."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from agentidp.index.freshness import Freshness
from management_api.callers.bearers import Bearers
from management_api.callers.caller import Caller
from management_api.changes.origin import Origin
from management_api.failures import unavailable
from management_api.limits import CallerLimits

T = TypeVar("T")


@dataclass(frozen=True)
class Asking:
    """A request of a caller who is known."""

    caller: Caller
    origin: Origin


class Reception:
    """Lets requests in, and lets changes come to their end whatever becomes of the request."""

    def __init__(self, bearers: Bearers, limits: CallerLimits, freshness: Freshness) -> None:
        self._bearers = bearers
        self._limits = limits
        self._freshness = freshness
        self._under_way: set[asyncio.Task[Any]] = set()

    async def let_in(self, request: Request) -> Asking:
        """Who it is. Raises Failure."""
        if not self._freshness.is_fresh():
            raise unavailable("This API is not in touch with its API server. Nothing was done.", 5)
        caller = await self._bearers.caller(request.headers.getlist("Authorization"))
        request.state.caller = caller.name
        self._limits.take(caller.name)
        return Asking(caller, Origin(caller.name, request.state.request_id, request.is_disconnected))

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of the work, which goes on if this request is given up."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, so long at most."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
