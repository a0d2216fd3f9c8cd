"""Between a reflector and a table: single changes go into the table, a whole list makes a new one.

A new table is filled beside the old one, a slice at a time so that requests are served meanwhile, and then takes its place.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

ItemT = TypeVar("ItemT")
TableT = TypeVar("TableT", bound="Table[Any]")

SLICE = 200


class Table(Protocol[ItemT]):
    """What a feed fills."""

    def put(self, item: ItemT, /) -> None:
        """Add the item, or put it in the place of what it was before."""

    def remove(self, item: ItemT, /) -> None:
        """The item goes."""

    def same(self, item: ItemT, /) -> ItemT:
        """The equal value that is in the table, or the item."""


class Feed(Generic[ItemT, TableT]):
    """The view (in a reflector's words) of one kind; `changed` is told what comes, changes or goes; None is everything."""

    def __init__(self, empty: Callable[[], TableT], changed: Callable[[ItemT | None], None]) -> None:
        self.table = empty()
        self._empty = empty
        self._changed = changed

    async def replace(self, objects: list[ItemT], _version: int) -> None:
        """These are all there are."""
        fresh = self._empty()
        for start in range(0, len(objects), SLICE):
            for item in objects[start : start + SLICE]:
                fresh.put(self.table.same(item))
            await asyncio.sleep(0)
        self.table = fresh
        self._changed(None)

    def put(self, value: ItemT) -> None:
        """This one is new, or has changed."""
        self.table.put(value)
        self._changed(value)

    def remove(self, value: ItemT) -> None:
        """This one is gone."""
        self.table.remove(value)
        self._changed(value)
