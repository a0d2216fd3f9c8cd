"""Who asks in one request, and the parts that every call needs."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from agentidp.cache.freshness import Freshness
from management_api.auth.authentication import BearerAuthentication
from management_api.auth.authorization import Caller
from management_api.errors import unavailable
from management_api.operations.audit_context import AuditContext
from management_api.rate_limits import ObjectLimit, RateLimit

T = TypeVar("T")

Change = Callable[[], Coroutine[Any, Any, T]]
"""Begins a change, once it is let in."""


@dataclass(frozen=True)
class RequestContext:
    """A request of a caller who is known."""

    caller: Caller
    origin: AuditContext


@dataclass(frozen=True)
class Limits:
    """See `limits`: by caller, by the caller's tenant, and by namespace."""

    requests: RateLimit
    changes: RateLimit
    objects: ObjectLimit


class RequestContexts:
    """Lets requests in, and lets changes come to their end whatever becomes of the request."""

    def __init__(self, bearers: BearerAuthentication, limits: Limits, freshness: Freshness) -> None:
        self._bearers = bearers
        self._limits = limits
        self._freshness = freshness
        self._under_way: set[asyncio.Task[Any]] = set()

    async def let_in(self, request: Request) -> RequestContext:
        """Who it is. Raises Failure."""
        if not self._freshness.is_fresh():
            raise unavailable("This API is not in touch with its API server. Nothing was done.", 5)
        caller = await self._bearers.caller(request.headers.getlist("Authorization"))
        request.state.caller = caller.name
        self._limits.requests.take(caller.name)
        origin = AuditContext(caller.name, caller.tenant, request.state.request_id, request.is_disconnected)
        return RequestContext(caller, origin)

    async def change(self, caller: Caller, change: Change[T]) -> T:
        """What comes of the change, which goes on if this request is given up. Raises Failure where it is one too many."""
        self._limits.changes.take(caller.tenant)
        return await self._to_the_end(change, nullcontext())

    async def create(self, caller: Caller, namespace: str, change: Change[T]) -> T:
        """The same of a change that adds an object. Users are bounded by ResourceQuotas, as with kubectl; agents are here."""
        self._limits.changes.take(caller.tenant)
        return await self._to_the_end(change, self._limits.objects.room_in(namespace) if caller.is_agent else nullcontext())

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, so long at most."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    async def _to_the_end(self, change: Change[T], room: AbstractContextManager[None]) -> T:
        task = asyncio.create_task(_within(room, change))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)


async def _within(room: AbstractContextManager[None], change: Change[T]) -> T:
    with room:
        return await change()
