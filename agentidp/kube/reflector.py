"""Keep a view in step with the API server: list in pages, then watch, for as long as the program runs.

Bookmarks keep the resource version fresh, a server-side time-out ends each watch before a proxy does, and where the version
is too old (410) the collection is listed again: what has changed is put, and what is not there any more removed. The Kubernetes
client's own informer does not work for custom objects, and its watch spins when the API server is away.
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
from agentidp.kube.pager import CHUNK, CHUNK_BYTES, Pager, Source, decoded
from agentidp.kube.waiters import ResourceVersionWaiters

WATCH_SECONDS = 290.0
SHORTEST_WATCH_SECONDS = 0.5  # none that was asked for is as short
IDLE_SECONDS = 100.0  # bookmarks come every minute, so this is a dead connection
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0

log = logging.getLogger(__name__)


ItemT = TypeVar("ItemT")


class Store(Protocol[ItemT]):
    """What the reflector feeds."""

    async def replace(self, listing: Pager[ItemT]) -> None:
        """These are all objects there are: what is not among them is gone. Raises what the listing raises."""

    def put(self, value: ItemT) -> None:
        """This object is new, or has changed."""

    def remove(self, gone: ObjectRef) -> None:
        """This object is gone, or cannot be read any more, which is no reason to believe what it said before."""


class _Identified(msgspec.Struct):
    metadata: ObjectRef


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)
_IDENTIFIED = msgspec.json.Decoder(_Identified)


class Reflector(Generic[ItemT]):
    """One kind, one view; `heard_at` is the monotonic time of the last word from the API server, `progress` how far it is.

    A watch lasts at most `watch_seconds`, and the next one is a word: a shorter time tells sooner that the server is away.
    """

    def __init__(
        self,
        cluster: KubeClient,
        source: Source[ItemT],
        view: Store[ItemT],
        *,
        namespace: str = "",
        field_selector: str = "",
        watch_seconds: float = WATCH_SECONDS,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self.heard_at = float("-inf")
        self.listed = asyncio.Event()
        self.progress = ResourceVersionWaiters()
        self._cluster = cluster
        self._view = view
        self._path = source.path(namespace)
        self._watch_seconds = watch_seconds
        self._failed = failed
        self._selector = {"fieldSelector": field_selector} if field_selector else {}
        self._version = ""
        self._listed_from = 0
        self._failures = 0
        self._followed = False  # since everything was listed, a watch has worked

    def not_listed_before(self, version: int) -> None:
        """What is listed for the first time counts as listed only when the view has reached this version.

        A list of many pages is as old as its first page: what was written meanwhile comes with the watch.
        """
        self._listed_from = max(self._listed_from, version)

    async def run(self) -> None:
        """For ever. Trouble with the API server is logged and waited out, it never ends this."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except Gone as trouble:
                self._version = ""
                if self._followed:  # the API server was away and is back: what was missed may be a revocation
                    self._failures = 0
                await self._back_off(trouble)
            except (ApiError, msgspec.DecodeError, ValueError) as trouble:
                await self._back_off(trouble)

    async def _back_off(self, trouble: Exception) -> None:
        self._failures += 1
        self._failed()
        seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        log.warning("watch of %s failed, next try in %.1f s: %s", self.source.plural, seconds, trouble)
        await asyncio.sleep(seconds)

    async def _list(self) -> None:
        listing = Pager(self._cluster, self.source, self._path, self._selector, beside_requests=self.listed.is_set())
        await self._view.replace(listing)
        self._version = str(listing.version)
        self._followed = False
        self._reach(listing.version)
        self.heard_at = time.monotonic()
        log.info("listed %d %s", listing.count, self.source.plural)

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
        if time.monotonic() - began < SHORTEST_WATCH_SECONDS:
            raise Unreachable("the watch was ended at once")
        self._heard()

    async def _follow(self, lines: aiohttp.StreamReader) -> None:
        """Until the API server ends it in good order, which it does when there was no more to tell until then."""
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
        identity = (await decoded_at_any_depth(_IDENTIFIED.decode, event.object)).metadata
        if event.type != "BOOKMARK":
            value = await decoded(self.source, event.object) if event.type != "DELETED" else None
            if value is None:
                self._view.remove(identity)
            else:
                self._view.put(value)
        self._version = identity.resource_version
        self._reach(int(self._version))

    def _reach(self, version: int) -> None:
        self.progress.reach(version)
        if version >= self._listed_from and not self.listed.is_set():
            self.listed.set()

    def _heard(self) -> None:
        """A word that shows that the watch works: that it was begun, or that there is a list, shows only that it may."""
        self.heard_at = time.monotonic()
        self._failures = 0
        self._followed = True
