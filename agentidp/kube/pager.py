"""Pager: lists a collection in pages, and returns its objects in chunks, between which the event loop runs other tasks.

Flows in: pages of JSON. Flows out: chunks of decoded items; an object that cannot be decoded is left out, and logged. Bounded:
one page is in memory at a time, and a page that is too large is requested again with fewer objects. A page of one object has
the bound that no object exceeds, so no object ends a list. `max_bytes` bounds all pages.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import decoded_at_any_depth
from agentidp.kube.errors import TooLarge

CHUNK = 10
"""Objects that are decoded, and put into a store, before other tasks run: a few tenths of a millisecond."""
CHUNK_BYTES = 2**16
"""Bytes of a chunk, which has fewer objects where they are large."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageLimits:
    """The limits of one page of a list."""

    objects: int = 500
    """Objects a page, as client-go lists."""
    objects_beside_requests: int = 200
    """Objects a page while a program serves requests: the event loop waits while a page is split into its items (0.3 ms)."""
    max_bytes: int = 2**22
    """Bytes of a page: everybody who may write objects may make them a thousand times as large as they need to be."""
    max_bytes_of_one: int = 13 * 2**20
    """Bytes of a page of one object, which has at most 12 MiB.

    The API server sends 2 MiB to etcd at most, and etcd takes 1.5 MiB by default. Built-in kinds are stored as protobuf and
    read as JSON, in which a byte becomes six at most, as `<` does.
    """
    shrink_factor: int = 5
    """Factor by which a page has fewer objects after one with too many bytes."""


ENVELOPE_BYTES = 2**12
"""Of a page around its items: kind, version, continue token."""

PAGE_LIMITS = PageLimits()

ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)


class Source(Protocol[ItemT_co]):
    """The kind to list and watch: a Kind, or a Projection of one."""

    @property
    def plural(self) -> str:
        """The plural, as in paths and logs."""

    def path(self, namespace: str = "") -> str:
        """The path of the collection."""

    def decode(self, body: msgspec.Raw) -> ItemT_co:
        """One item from its JSON. Raises msgspec.DecodeError, and RecursionError (see `deep_json`)."""


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _Meta
    items: list[msgspec.Raw]


_PAGE = msgspec.json.Decoder(_Page)


class Pager(Generic[ItemT]):
    """All objects of a source: `async for items in pager`, once. Raises ApiError and msgspec.DecodeError.

    With `max_bytes` it raises TooLarge where all pages have more bytes, or one is nested deeper than a decoder goes.
    """

    def __init__(
        self,
        cluster: KubeClient,
        source: Source[ItemT],
        path: str = "",
        selector: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        *,
        beside_requests: bool = False,
        limits: PageLimits = PAGE_LIMITS,
    ) -> None:
        self.version = 0
        """The resource version of the list; 0 before the first page."""
        self.count = 0
        """The number of items so far."""
        self._cluster = cluster
        self._source = source
        self._path = path or source.path()
        self._selector = selector or {}
        self._limits = limits
        self._page_size = self._limit = limits.objects_beside_requests if beside_requests else limits.objects
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[Sequence[ItemT]]:
        more: dict[str, str] = {}
        while True:
            page = await self._page(more)
            for items in _chunks(page.items):
                values = [value for item in items if (value := await decoded(self._source, item)) is not None]
                self.count += len(values)
                yield values
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
                body = await self._body(more, self._max_bytes())
            except TooLarge:
                if self._limit == 1:
                    raise
                self._limit = max(1, self._limit // self._limits.shrink_factor)
            else:
                page = await decoded_at_any_depth(_PAGE.decode, body)
                self._limit = self._next_limit(page.items)
                return page

    def _max_bytes(self) -> int:
        return self._limits.max_bytes_of_one if self._limit == 1 else self._limits.max_bytes

    def _next_limit(self, items: Sequence[msgspec.Raw]) -> int:
        """As many objects as fit into a page if they are like the largest of these; at most some times as many as now.

        What is asked for beyond that the API server reads and encodes, and nobody takes it.
        """
        largest = max(map(len, items), default=0) + 1
        fit = (self._limits.max_bytes - ENVELOPE_BYTES) // largest
        return max(1, min(self._page_size, self._limit * self._limits.shrink_factor, fit))

    async def _page_of_what_is_left(self, more: Mapping[str, str], left: int) -> _Page:
        body = await self._body(more, left)
        self._left = left - len(body)
        try:
            return _PAGE.decode(body)
        except RecursionError as error:
            raise TooLarge("the answer is nested too deep") from error

    async def _body(self, more: Mapping[str, str], max_bytes: int) -> bytes:
        params = {"limit": str(self._limit), **self._selector, **more}
        return await self._cluster.request("GET", self._path, params=params, max_bytes=max_bytes)


def _chunks(items: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    """The items in chunks of CHUNK objects or CHUNK_BYTES."""
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
    max_bytes: int | None = None,
) -> list[ItemT]:
    """All objects of the kind, or those under `path`. Raises ApiError: TooLarge where they have more than `max_bytes`."""
    return [value async for values in Pager(cluster, source, path, selector, max_bytes) for value in values]


async def decoded(source: Source[ItemT], item: msgspec.Raw) -> ItemT | None:
    """The decoded object; None where it cannot be decoded, so one broken object does not stop a list."""
    try:
        return await decoded_at_any_depth(source.decode, item)
    except msgspec.DecodeError as error:
        log.error("ignored one of %s that cannot be read: %s", source.plural, error)  # noqa: TRY400 its trace says nothing more
        return None
