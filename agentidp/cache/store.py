"""Between a reflector and a table: changes go into it one by one, from a watch as from a list.

A list is taken over in place, a few objects at a time while requests are served, and what is not on it is removed in the end.
So nothing is ever there twice, what has not changed stays the value that it was, and a change that a broken watch has missed
is in force as soon as its page is read.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from agentidp.domain.resources import ObjectRef
from agentidp.kube.pager import CHUNK, Pager

ItemT = TypeVar("ItemT")
TableT = TypeVar("TableT", bound="Index[Any]")


class Index(Protocol[ItemT]):
    """What a feed fills."""

    def key(self, item: ItemT, /) -> Any:
        """What an item and whatever takes its place have in common."""

    def key_of(self, identity: ObjectRef, /) -> Any:
        """The key of the item that is made of this object."""

    def get(self, key: Any, /) -> ItemT | None:
        """The item of this key."""

    def by_key(self) -> Mapping[Any, ItemT]:
        """All that is in the table."""

    def put(self, item: ItemT, /) -> None:
        """Add the item, or put it in the place of what it was before."""

    def remove(self, item: ItemT, /) -> None:
        """The item goes."""


class IndexedStore(Generic[ItemT, TableT]):
    """The view (in a reflector's words) of one kind; `changed` is told what comes, changes or goes."""

    def __init__(self, table: TableT, changed: Callable[[ItemT], None] = lambda _: None) -> None:
        self.table = table
        self._changed = changed

    async def replace(self, listing: Pager[ItemT]) -> None:
        """These are all there are. What comes meanwhile in another way stays."""
        gone = dict(self.table.by_key())
        async for items in listing:
            for item in items:
                gone.pop(self.table.key(item), None)
                self.put(item)
        for count, item in enumerate(gone.values()):
            self._remove(item)
            if count % CHUNK == 0:
                await asyncio.sleep(0)

    def put(self, value: ItemT) -> None:
        """This one is new, or has changed, or is what it was."""
        if self.table.get(self.table.key(value)) != value:
            self.table.put(value)
            self._changed(value)

    def remove(self, gone: ObjectRef) -> None:
        """This one is gone."""
        known = self.table.get(self.table.key_of(gone))
        if known is not None:
            self._remove(known)

    def _remove(self, known: ItemT) -> None:
        self.table.remove(known)
        self._changed(known)
