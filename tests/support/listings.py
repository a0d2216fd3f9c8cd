"""A list of objects without an API server."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Listed(Generic[ItemT]):
    """As a `Listing` is: these values, one at a time, as they were at this version; `between` happens before each."""

    def __init__(self, *values: ItemT, version: int = 1, between: Callable[[], None] = lambda: None) -> None:
        self.version = version
        self.count = len(values)
        self._values = values
        self._between = between

    async def __aiter__(self) -> AsyncIterator[Sequence[ItemT]]:
        for value in self._values:
            self._between()
            yield [value]
