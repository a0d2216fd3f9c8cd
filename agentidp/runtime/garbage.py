"""The garbage collector looks through everything that it may free, and nothing else happens meanwhile.

Modules and what was listed at the start stay for the life of a process: to look through them again and again is in vain, and
takes an event loop a fifth of a second each time.
"""

import gc


def spare_what_is_loaded() -> None:
    """From now on the garbage collector passes over everything that is there."""
    gc.collect()
    gc.freeze()
