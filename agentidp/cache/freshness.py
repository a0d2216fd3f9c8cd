"""Is what a program knows complete and fresh? Without word from the API server for too long, it answers nothing that counts.

A revocation may wait at the API server while this program cannot hear it.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from agentidp.kube.reflector import Reflector


class Freshness:
    """Over all reflectors; one that has never listed everything is not fresh."""

    def __init__(
        self, reflectors: Iterable[Reflector[Any]], max_staleness: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reflectors = tuple(reflectors)
        self.max_staleness = max_staleness
        self._clock = clock
        self._fresh_until = float("-inf")

    def missing(self) -> list[str]:
        """What is not there or not fresh, in words."""
        now = self._clock()
        unlisted = [f"{one.source.plural} are not listed yet" for one in self._reflectors if not one.listed.is_set()]
        stale = [
            f"no word about {one.source.plural} from the API server for {now - one.heard_at:.0f} s"
            for one in self._reflectors
            if one.listed.is_set() and now - one.heard_at > self.max_staleness
        ]
        return unlisted + stale

    def staleness(self) -> float:
        """Seconds since the last word about the kind that was heard of longest ago."""
        now = self._clock()
        return max((now - one.heard_at for one in self._reflectors), default=0.0)

    def is_fresh(self) -> bool:
        """Whether nothing is missing; costs next to nothing while that is so."""
        if self._clock() < self._fresh_until:
            return True
        if self.missing():
            return False
        self._fresh_until = min((one.heard_at for one in self._reflectors), default=0.0) + self.max_staleness
        return True
