"""Garbage collection: keeps objects that live as long as the process out of it, because it stops the event loop.

A full collection of modules and listed objects takes a fifth of a second, and frees nothing. Objects that come later die young
or stay, too, so full collections are rare.
"""

import asyncio
import gc
from collections.abc import Iterable

FULL_COLLECTION_EVERY = 100
"""Collections of the middle generation between two full ones; Python's default is 10."""


def spare_what_is_loaded() -> None:
    """Exempt all present objects from garbage collection, and make full collections of all others rare."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION_EVERY)


async def spare_what_is_listed(lists: Iterable[asyncio.Event]) -> None:
    """Do the same as soon as all these lists are complete."""
    for listed in lists:
        await listed.wait()
    spare_what_is_loaded()
