"""Freshness: whether all watch-fed caches of a program are complete, and how long ago the API server was last heard.

A program answers nothing that counts from stale caches, because a revocation may wait at the API server meanwhile.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from agentidp.kube.reflector import Reflector


class Freshness:
    """The freshness of some reflectors together. A reflector that has never listed everything is not fresh."""

    def __init__(
        self, reflectors: Iterable[Reflector[Any]], max_staleness: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reflectors = tuple(reflectors)
        self.max_staleness = max_staleness
        self._clock = clock
        self._fresh_until = float("-inf")

    def missing(self) -> list[str]:
        """A sentence for each kind that is not listed, and for each that is not fresh."""
        now = self._clock()
        ages = {
            reflector.source.plural: now - reflector.heard_at for reflector in self._reflectors if reflector.listed.is_set()
        }
        unlisted = [reflector.source.plural for reflector in self._reflectors if not reflector.listed.is_set()]
        return [f"{plural} are not listed yet" for plural in unlisted] + [
            f"no word about {plural} from the API server for {age:.0f} s"
            for plural, age in ages.items()
            if age > self.max_staleness
        ]

    def staleness(self) -> float:
        """Seconds since the last word from the API server, about the kind for which that is longest ago."""
        now = self._clock()
        return max((now - reflector.heard_at for reflector in self._reflectors), default=0.0)

    def is_fresh(self) -> bool:
        """Whether nothing is missing. The answer is cached until a kind could become stale."""
        if self._clock() < self._fresh_until:
            return True
        if self.missing():
            return False
        self._fresh_until = min((reflector.heard_at for reflector in self._reflectors), default=0.0) + self.max_staleness
        return True
