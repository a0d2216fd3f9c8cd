"""Store: takes the changes of a watch, and the objects of a list, into an index, one by one.

Flows in: what a reflector hands on. Flows out: an index whose lookups never wait, and a call of `changed` for each item that
is new, changed or gone. A list is taken over in place, a few objects at a time while requests are served, and items that are
not on it are removed in the end. So nothing is in memory twice, an unchanged item stays the same object, and a change that a
broken watch missed is in effect as soon as its page is read. Bounded by the cluster: one item an object.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from agentidp.domain.resources import ObjectRef
from agentidp.kube.pager import CHUNK, Pager

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")
IndexT = TypeVar("IndexT", bound="Index[Any]")


class Index(Protocol[ItemT]):
    """The index that a store fills."""

    def key(self, item: ItemT, /) -> Any:
        """The key of an item, and of every item that replaces it."""

    def key_of(self, reference: ObjectRef, /) -> Any:
        """The key of the item that is made of this object."""

    def get(self, key: Any, /) -> ItemT | None:
        """The item of this key."""

    def by_key(self) -> Mapping[Any, ItemT]:
        """All items of the index by their keys."""

    def put(self, item: ItemT, /) -> None:
        """Add the item, or replace the one of its key."""

    def remove(self, item: ItemT, /) -> None:
        """Remove the item of this item's key."""


class KeyedIndex(Generic[KeyT, ItemT]):
    """An index with one key for each item. A subclass names the key, and may add further lookups."""

    def __init__(self) -> None:
        self._items: dict[KeyT, ItemT] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ItemT]:
        return iter(self._items.values())

    def key(self, item: ItemT, /) -> KeyT:
        """The key of an item, and of every item that replaces it."""
        raise NotImplementedError

    def get(self, key: KeyT, /) -> ItemT | None:
        """The item of this key."""
        return self._items.get(key)

    def by_key(self) -> Mapping[KeyT, ItemT]:
        """All items of the index by their keys."""
        return self._items

    def put(self, item: ItemT, /) -> None:
        """Add the item, or replace the one of its key."""
        self._items[self.key(item)] = item

    def remove(self, item: ItemT, /) -> None:
        """Remove the item of this item's key."""
        self._items.pop(self.key(item), None)


class IndexedStore(Generic[ItemT, IndexT]):
    """The store of one kind, which a reflector fills. `changed` is called with each item that comes, changes or goes."""

    def __init__(self, table: IndexT, changed: Callable[[ItemT], None] = lambda _: None) -> None:
        self.table = table
        self._changed = changed

    async def replace(self, pager: Pager[ItemT]) -> None:
        """Take over a list of all objects. Changes that come meanwhile by another way stay."""
        unlisted = dict(self.table.by_key())
        async for items in pager:
            for item in items:
                unlisted.pop(self.table.key(item), None)
                self.put(item)
        for count, item in enumerate(unlisted.values()):
            self._remove(item)
            if count % CHUNK == 0:
                await asyncio.sleep(0)

    def put(self, value: ItemT) -> None:
        """Take over an item, unless the index has an equal one."""
        if self.table.get(self.table.key(value)) != value:
            self.table.put(value)
            self._changed(value)

    def remove(self, gone: ObjectRef) -> None:
        """Remove the item of an object that is gone."""
        item = self.table.get(self.table.key_of(gone))
        if item is not None:
            self._remove(item)

    def _remove(self, item: ItemT) -> None:
        self.table.remove(item)
        self._changed(item)
