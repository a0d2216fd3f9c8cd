"""Waiting for what comes soon: poll until it is so, and tell what was there instead when the time is over."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 45.0  # a deadline for a busy machine, not an expectation
EVERY = 0.05


def eventually(claim: str, look: Callable[[], T], holds: Callable[[T], object] = bool, within: float = SECONDS) -> T:
    """What was seen as soon as the claim holds for it, by default as soon as it is something."""
    deadline = time.monotonic() + within
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"within {within:.0f} s, {claim}; last seen: {seen!r}"
        time.sleep(EVERY)
    return seen
