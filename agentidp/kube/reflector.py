"""Reflector: keeps a store in step with the API server by a list in pages and then a watch, for as long as the program runs.

Flows in: lists, and the events of watches. Flows out: `replace`, `put` and `remove` of a store, and the resource version that
it has reached (`progress`). Bounded: memory has one page or one event; a failure waits 0.1 s, then twice as long up to 5 s. The
store is one of `agentidp.cache`. In the operator, Kopf watches Agents, AgentCredentials and Organizations instead
(`agent_operator.watch`).

Bookmarks keep the resource version recent. A server-side timeout ends each watch before a proxy does. Where the version is too
old (410 Gone) the collection is listed again. The informer of the Python client `kubernetes` does not work for custom objects,
and its watch spins while the API server is away (decision 6).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import aiohttp
import msgspec

from agentidp.domain.resources import ObjectRef
from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import decoded_at_any_depth
from agentidp.kube.errors import ApiError, Gone, Unreachable, error_from
from agentidp.kube.pager import CHUNK, CHUNK_BYTES, PAGE_LIMITS, PageLimits, Pager, Source, decoded
from agentidp.kube.waiters import ResourceVersionWaiters

WATCH_SECONDS = 290.0
MIN_WATCH_SECONDS = 0.5  # a watch that ends sooner was refused
IDLE_SECONDS = 100.0  # bookmarks come every minute, so this is a dead connection
MIN_BACKOFF, MAX_BACKOFF = 0.1, 5.0

log = logging.getLogger(__name__)


ItemT = TypeVar("ItemT")


class Store(Protocol[ItemT]):
    """The store that a reflector fills."""

    async def replace(self, pager: Pager[ItemT], /) -> None:
        """Take over a list of all objects, and remove all others. Raises what the pager raises."""

    def put(self, value: ItemT, /) -> None:
        """Add or replace the item of an object."""

    def remove(self, gone: ObjectRef, /) -> None:
        """Remove the item of an object that is gone, or that cannot be read any more and so has no valid item."""


class _Object(msgspec.Struct):
    metadata: ObjectRef


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)
_OBJECT = msgspec.json.Decoder(_Object)


class Reflector(Generic[ItemT]):
    """The reflector of one kind into one store.

    `heard_at` is the monotonic time of the last word from the API server, `listed` is set after the first list, and `progress`
    has the resource version. A watch lasts at most `watch_seconds`, and its end is a word, too: a shorter time shows sooner
    that the server is away. `failed` is called after each failure.
    """

    def __init__(
        self,
        cluster: KubeClient,
        source: Source[ItemT],
        store: Store[ItemT],
        *,
        namespace: str = "",
        field_selector: str = "",
        watch_seconds: float = WATCH_SECONDS,
        failed: Callable[[], None] = lambda: None,
        page_limits: PageLimits = PAGE_LIMITS,
    ) -> None:
        self.source = source
        self.heard_at = float("-inf")
        self.listed = asyncio.Event()
        self.progress = ResourceVersionWaiters()
        self._cluster = cluster
        self._store = store
        self._path = source.path(namespace)
        self._watch_seconds = watch_seconds
        self._failed = failed
        self._page_limits = page_limits
        self._selector = {"fieldSelector": field_selector} if field_selector else {}
        self._version = ""
        self._listed_from = 0
        self._failures = 0
        self._has_watched = False
        """Whether a watch has worked since the last list."""

    def not_listed_before(self, version: int) -> None:
        """Set `listed` only when the store has reached this version.

        A list of many pages is as old as its first page; writes in the meantime come with the watch.
        """
        self._listed_from = max(self._listed_from, version)

    async def run(self) -> None:
        """List and watch without end. A failure of the API server is logged, and tried again later."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except Gone as error:
                self._version = ""
                if self._has_watched:  # list at once: a revocation may have been missed
                    self._failures = 0
                await self._back_off(error)
            except (ApiError, msgspec.DecodeError, ValueError) as error:
                await self._back_off(error)

    async def _back_off(self, error: Exception) -> None:
        self._failures += 1
        self._failed()
        seconds = min(MAX_BACKOFF, MIN_BACKOFF * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        log.warning("watch of %s failed, next try in %.1f s: %s", self.source.plural, seconds, error)
        await asyncio.sleep(seconds)

    async def _list(self) -> None:
        pager = Pager(
            self._cluster,
            self.source,
            self._path,
            self._selector,
            beside_requests=self.listed.is_set(),
            limits=self._page_limits,
        )
        await self._store.replace(pager)
        self._version = str(pager.version)
        self._has_watched = False
        self.reach(pager.version)
        self.heard_at = time.monotonic()
        log.info("listed %d %s", pager.count, self.source.plural)

    async def _watch(self) -> None:
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, int(self._watch_seconds * random.uniform(0.8, 1)))),  # noqa: S311 so that watches do not end at once
            "resourceVersion": self._version,
            **self._selector,
        }
        idle = min(IDLE_SECONDS, 2 * self._watch_seconds)
        began = time.monotonic()
        async with self._cluster.stream(self._path, params, idle) as lines:
            await self._follow(lines)
        if time.monotonic() - began < MIN_WATCH_SECONDS:
            raise Unreachable("the watch was ended at once")
        self._heard()

    async def _follow(self, lines: aiohttp.StreamReader) -> None:
        """Apply events until the API server ends the watch in good order, after which there is nothing older to tell."""
        count = 0
        while line := await lines.readline():
            await self._apply(await decoded_at_any_depth(_EVENT.decode, line))
            self._heard()
            count += 1
            if count % CHUNK == 0 or len(line) >= CHUNK_BYTES:
                await asyncio.sleep(0)

    async def _apply(self, event: _Event) -> None:
        if event.type == "ERROR":
            raise error_from(0, bytes(event.object))
        reference = (await decoded_at_any_depth(_OBJECT.decode, event.object)).metadata
        if event.type != "BOOKMARK":
            value = await decoded(self.source, event.object) if event.type != "DELETED" else None
            if value is None:
                self._store.remove(reference)
            else:
                self._store.put(value)
        self._version = reference.resource_version
        self.reach(int(self._version))

    def reach(self, version: int) -> None:
        """Record that the store has reached this version; it is listed once that is late enough."""
        self.progress.reach(version)
        if version >= self._listed_from and not self.listed.is_set():
            self.listed.set()

    def _heard(self) -> None:
        """Record that the watch works. A list, or the begin of a watch, does not show it yet."""
        self.heard_at = time.monotonic()
        self._failures = 0
        self._has_watched = True
