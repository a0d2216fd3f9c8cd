"""The garbage collector looks through everything that it may free, and nothing else happens meanwhile.

Modules and what was listed at the start stay for the life of a process: to look through them again and again is in vain, and
takes an event loop a fifth of a second each time. What comes later dies young or stays, too: it is looked through seldom.
"""

import gc
from collections.abc import Iterable
from typing import Any

from agentidp.kube.reflector import Reflector

FULL_COLLECTION_EVERY = 100
"""So many collections of the middle generation; Python's default is 10."""


def spare_what_is_loaded() -> None:
    """From now on the garbage collector passes over everything that is there, and seldom looks through all the rest."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION_EVERY)


async def spare_what_is_listed(reflectors: Iterable[Reflector[Any]]) -> None:
    """The same, as soon as all of them have listed what there is."""
    for reflector in reflectors:
        await reflector.listed.wait()
    spare_what_is_loaded()
