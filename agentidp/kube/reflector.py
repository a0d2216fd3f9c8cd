"""Keep a view in step with the API server: list in pages, then watch, for as long as the program runs.

Bookmarks keep the resource version fresh, a server-side time-out ends each watch before a proxy does, and where the version
is too old (410) the collection is listed again and the view replaced as a whole. The Kubernetes client's own informer does
not work for custom objects, and its watch spins when the API server is away.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from agentidp.kube.cluster import Cluster
from agentidp.kube.depth import decoded_at_any_depth
from agentidp.kube.errors import ApiError, Gone, error_from
from agentidp.kube.progress import Progress

PAGE = 500
SLICE = 50  # objects that are decoded at a stretch: others want to be served meanwhile
WATCH_SECONDS = 290.0
IDLE_SECONDS = 100.0  # bookmarks come every minute, so this is a dead connection
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0

log = logging.getLogger(__name__)


ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)


class Source(Protocol[ItemT_co]):
    """What to list and watch: a Kind, or an Extract of one."""

    @property
    def plural(self) -> str:
        """As paths and logs write it."""

    def path(self, namespace: str = "") -> str:
        """The path of the collection."""

    def decode(self, body: msgspec.Raw) -> ItemT_co:
        """One item of the view. Raises msgspec.DecodeError."""


class View(Protocol[ItemT]):
    """What the reflector feeds."""

    async def replace(self, objects: list[ItemT], version: int) -> None:
        """These are all objects there were at this resource version."""

    def put(self, value: ItemT) -> None:
        """This object is new, or has changed."""

    def remove(self, value: ItemT) -> None:
        """This object is gone; `value` is how it last was."""


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _Meta
    items: list[msgspec.Raw]


class _Versioned(msgspec.Struct):
    metadata: _Meta


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)
_PAGE = msgspec.json.Decoder(_Page)


class Reflector(Generic[ItemT]):
    """One kind, one view; `heard_at` is the monotonic time of the last word from the API server, `progress` how far it is.

    A watch lasts at most `watch_seconds`, and the next one is a word: a shorter time tells sooner that the server is away.
    """

    def __init__(
        self,
        cluster: Cluster,
        source: Source[ItemT],
        view: View[ItemT],
        *,
        namespace: str = "",
        field_selector: str = "",
        watch_seconds: float = WATCH_SECONDS,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self.heard_at = float("-inf")
        self.listed = asyncio.Event()
        self.progress = Progress()
        self._cluster = cluster
        self._view = view
        self._path = source.path(namespace)
        self._watch_seconds = watch_seconds
        self._failed = failed
        self._selector = {"fieldSelector": field_selector} if field_selector else {}
        self._version = ""
        self._listed_from = 0
        self._failures = 0

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
            except Gone:
                self._version = ""
            except (ApiError, msgspec.DecodeError, ValueError) as trouble:
                await self._back_off(trouble)

    async def _back_off(self, trouble: Exception) -> None:
        self._failures += 1
        self._failed()
        seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        log.warning("watch of %s failed, next try in %.1f s: %s", self.source.plural, seconds, trouble)
        await asyncio.sleep(seconds)

    async def _list(self) -> None:
        objects, version = await list_all(self._cluster, self.source, self._path, self._selector, self._heard)
        self._version = str(version)
        await self._view.replace(objects, version)
        self._reach(version)
        log.info("listed %d %s", len(objects), self.source.plural)

    async def _watch(self) -> None:
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, int(self._watch_seconds * random.uniform(0.8, 1)))),  # noqa: S311 so that watches do not end at once
            "resourceVersion": self._version,
            **self._selector,
        }
        idle = min(IDLE_SECONDS, 2 * self._watch_seconds)
        async with self._cluster.stream(self._path, params, idle) as lines:
            self._heard()
            while line := await lines.readline():
                self._heard()
                self._apply(decoded_at_any_depth(_EVENT.decode, line))

    def _apply(self, event: _Event) -> None:
        if event.type == "ERROR":
            raise error_from(0, bytes(event.object))
        self._version = msgspec.json.decode(event.object, type=_Versioned).metadata.resource_version
        value = decoded(self.source, event.object) if event.type != "BOOKMARK" else None
        if value is not None:
            (self._view.remove if event.type == "DELETED" else self._view.put)(value)
        self._reach(int(self._version))

    def _reach(self, version: int) -> None:
        self.progress.reach(version)
        if version >= self._listed_from and not self.listed.is_set():
            self.listed.set()

    def _heard(self) -> None:
        self.heard_at = time.monotonic()
        self._failures = 0


async def list_all(
    cluster: Cluster,
    source: Source[ItemT],
    path: str = "",
    selector: Mapping[str, str] | None = None,
    heard: Callable[[], None] = lambda: None,
) -> tuple[list[ItemT], int]:
    """All objects of the kind (or under `path`), and the resource version at which that was so."""
    objects: list[ItemT] = []
    token = ""
    while True:
        params = {"limit": str(PAGE), **(selector or {})} | ({"continue": token} if token else {})
        page = decoded_at_any_depth(_PAGE.decode, await cluster.request("GET", path or source.path(), params=params))
        heard()
        for start in range(0, len(page.items), SLICE):
            items = page.items[start : start + SLICE]
            objects.extend(value for item in items if (value := decoded(source, item)) is not None)
            await asyncio.sleep(0)
        token = page.metadata.continue_
        if not token:
            return objects, int(page.metadata.resource_version)


def decoded(source: Source[ItemT], item: msgspec.Raw) -> ItemT | None:
    """The object; one that cannot be read is left out, so that it harms nobody but itself."""
    try:
        return source.decode(item)
    except msgspec.DecodeError as trouble:
        log.error("ignored one of %s that cannot be read: %s", source.plural, trouble)  # noqa: TRY400 its trace says nothing more
        return None
