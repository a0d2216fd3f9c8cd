"""The garbage collector looks through everything that it may free, and nothing else happens meanwhile.

Modules and what was listed at the start stay for the life of a process: to look through them again and again is in vain, and
takes an event loop a fifth of a second each time. What comes later dies young or stays, too: it is looked through seldom.
"""

import asyncio
import gc
from collections.abc import Iterable

FULL_COLLECTION_EVERY = 100
"""So many collections of the middle generation; Python's default is 10."""


def spare_what_is_loaded() -> None:
    """From now on the garbage collector passes over everything that is there, and seldom looks through all the rest."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION_EVERY)


async def spare_what_is_listed(lists: Iterable[asyncio.Event]) -> None:
    """Do the same as soon as all these lists are complete."""
    for listed in lists:
        await listed.wait()
    spare_what_is_loaded()
