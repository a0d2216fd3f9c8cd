"""One run of one benchmark: how big it is, where it may keep files, and whom it tells how far it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from benchmarks.result import Result

SizeT = TypeVar("SizeT")


class Scale(StrEnum):
    """The amount of work that a benchmark measures."""

    SMOKE = "smoke"
    """As little as shows that the benchmark works; its figures mean nothing and are not kept."""
    NORMAL = "normal"
    LARGE = "large"
    """Ten times the objects where that is of interest."""


@dataclass(frozen=True)
class Run:
    """What a benchmark is given."""

    scale: Scale
    directory: Path
    """Empty, and gone afterwards."""
    say: Callable[[str], None]

    def sized(self, *, smoke: SizeT, normal: SizeT, large: SizeT | None = None) -> SizeT:
        """The size for this scale."""
        sizes = {Scale.SMOKE: smoke, Scale.NORMAL: normal, Scale.LARGE: normal if large is None else large}
        return sizes[self.scale]


Measure = Callable[[Run], Awaitable[Result]]
"""A benchmark."""
