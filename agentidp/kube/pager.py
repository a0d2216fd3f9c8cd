"""List a collection in pages, and hand its objects on a few at a time: others want to be served meanwhile."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import decoded_at_any_depth
from agentidp.kube.errors import TooLarge

PAGE = 500
"""Objects a request, as clients of Kubernetes ask for."""
SMALL_PAGE = 200
"""The same while others are served: a page is split into its items at a stretch, here in a third of a millisecond."""
PAGE_BYTES = 2**22
"""More is not read at once: whoever may write objects may make them a thousand times as large as they need to be."""
FEWER = 5
"""So many times fewer objects where a page is too large. One never is: etcd takes no more than 1.5 MiB of it."""
CHUNK = 10
"""Objects that are decoded, and taken over by a view, at a stretch: a few tenths of a millisecond."""
CHUNK_BYTES = 2**16
"""When they have so many bytes together, they are fewer."""

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
        """One item of the view. Raises msgspec.DecodeError, and RecursionError (see `depth`)."""


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _Meta
    items: list[msgspec.Raw]


_PAGE = msgspec.json.Decoder(_Page)


class Pager(Generic[ItemT]):
    """All objects of a source: `async for some in listing`, once. Raises ApiError and msgspec.DecodeError.

    No page is asked for before the one before it was taken, so there is never more of it in memory than one page, and a page
    that is too large is asked for again in smaller portions. Whoever asks in passing reads `most` bytes in all: what has more,
    or is nested deeper than a decoder goes, is TooLarge.
    """

    def __init__(
        self,
        cluster: KubeClient,
        source: Source[ItemT],
        path: str = "",
        selector: Mapping[str, str] | None = None,
        most: int | None = None,
        *,
        beside_requests: bool = False,
    ) -> None:
        self.version = 0
        """The resource version at which these were all that there were; known with the first page."""
        self.count = 0
        """How many there were so far."""
        self._cluster = cluster
        self._source = source
        self._path = path or source.path()
        self._selector = selector or {}
        self._page_size = self._limit = SMALL_PAGE if beside_requests else PAGE
        self._left = most

    async def __aiter__(self) -> AsyncIterator[Sequence[ItemT]]:
        more: dict[str, str] = {}
        while True:
            page = await self._page(more)
            for items in _bites(page.items):
                found = [value for item in items if (value := await decoded(self._source, item)) is not None]
                self.count += len(found)
                yield found
                await asyncio.sleep(0)
            if not page.metadata.continue_:
                return
            more = {"continue": page.metadata.continue_}

    async def _page(self, more: Mapping[str, str]) -> _Page:
        page = await (self._page_of_any_size(more) if self._left is None else self._page_of_what_is_left(more, self._left))
        self.version = int(page.metadata.resource_version)
        return page

    async def _page_of_any_size(self, more: Mapping[str, str]) -> _Page:
        while True:
            try:
                body = await self._body(more, PAGE_BYTES)
            except TooLarge:
                if self._limit == 1:
                    raise
                self._limit = max(1, self._limit // FEWER)
            else:
                self._limit = min(self._page_size, self._limit * FEWER)
                return await decoded_at_any_depth(_PAGE.decode, body)

    async def _page_of_what_is_left(self, more: Mapping[str, str], left: int) -> _Page:
        body = await self._body(more, left)
        self._left = left - len(body)
        try:
            return _PAGE.decode(body)
        except RecursionError as deep:
            raise TooLarge("the answer is nested too deep") from deep

    async def _body(self, more: Mapping[str, str], most: int) -> bytes:
        params = {"limit": str(self._limit), **self._selector, **more}
        return await self._cluster.request("GET", self._path, params=params, most=most)


def _bites(items: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    """The same, as many at a time as are decoded at a stretch."""
    start = size = 0
    for end, item in enumerate(items, 1):
        size += len(item)
        if end - start == CHUNK or size >= CHUNK_BYTES or end == len(items):
            yield items[start:end]
            start, size = end, 0


async def list_all(
    cluster: KubeClient,
    source: Source[ItemT],
    path: str = "",
    selector: Mapping[str, str] | None = None,
    most: int | None = None,
) -> list[ItemT]:
    """All objects of the kind, or those under `path`, `most` bytes of them at most. Raises ApiError."""
    return [value async for some in Pager(cluster, source, path, selector, most) for value in some]


async def decoded(source: Source[ItemT], item: msgspec.Raw) -> ItemT | None:
    """The object; one that cannot be read is left out, so that it harms nobody but itself."""
    try:
        return await decoded_at_any_depth(source.decode, item)
    except msgspec.DecodeError as trouble:
        log.error("ignored one of %s that cannot be read: %s", source.plural, trouble)  # noqa: TRY400 its trace says nothing more
        return None
