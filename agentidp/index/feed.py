"""Between a reflector and a table: changes go into it one by one, from a watch as from a list.

A list is taken over in place, a few objects at a time while requests are served, and what is not on it is removed in the end.
So nothing is ever there twice, what has not changed stays the value that it was, and a change that a broken watch has missed
is in force as soon as its page is read.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from agentidp.kube.listing import BITE, Listing

ItemT = TypeVar("ItemT")
TableT = TypeVar("TableT", bound="Table[Any]")


class Table(Protocol[ItemT]):
    """What a feed fills."""

    def key(self, item: ItemT, /) -> Hashable:
        """What an item and whatever takes its place have in common."""

    def by_key(self) -> Mapping[Any, ItemT]:
        """All that is in the table."""

    def known(self, item: ItemT, /) -> ItemT | None:
        """What is in the place of the item."""

    def put(self, item: ItemT, /) -> None:
        """Add the item, or put it in the place of what it was before."""

    def remove(self, item: ItemT, /) -> None:
        """The item goes."""


class Feed(Generic[ItemT, TableT]):
    """The view (in a reflector's words) of one kind; `changed` is told what comes, changes or goes."""

    def __init__(self, table: TableT, changed: Callable[[ItemT], None] = lambda _: None) -> None:
        self.table = table
        self._changed = changed

    async def replace(self, listing: Listing[ItemT]) -> None:
        """These are all there are. What comes meanwhile in another way stays."""
        gone = dict(self.table.by_key())
        async for items in listing:
            for item in items:
                gone.pop(self.table.key(item), None)
                self.put(item)
        for count, item in enumerate(gone.values()):
            self.remove(item)
            if count % BITE == 0:
                await asyncio.sleep(0)

    def put(self, value: ItemT) -> None:
        """This one is new, or has changed, or is what it was."""
        if self.table.known(value) != value:
            self.table.put(value)
            self._changed(value)

    def remove(self, value: ItemT) -> None:
        """This one is gone."""
        self.table.remove(value)
        self._changed(value)
