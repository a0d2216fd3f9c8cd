"""Where a moment and a value are on the page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.report.plots import ticks
from dashboard.picture.elements import Point

ROUND_TIMES = (30, 60, 120, 240, 300, 600, 1200)
LABEL_ROOM = 62
"""What the label of a moment takes, with some air."""


@dataclass(frozen=True)
class Box:
    """A part of the page, from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Scale:
    """Time from left to right, values from the bottom up, from 0."""

    box: Box
    seconds: float
    most: float

    def at(self, moment: float, value: float) -> Point:
        """The place of a value at a moment."""
        box = self.box
        across = box.left + moment / self.seconds * (box.right - box.left)
        return across, box.bottom - value / self.most * (box.bottom - box.top)

    def moments(self) -> list[float]:
        """Round ones, as many as have room for their labels."""
        room = int((self.box.right - self.box.left) / LABEL_ROOM)
        step = next((one for one in ROUND_TIMES if self.seconds / one <= room), ROUND_TIMES[-1])
        return [float(moment) for moment in range(0, int(self.seconds) + 1, step)]


def levels(values: Iterable[float]) -> list[float]:
    """Round numbers from 0 to the highest value or a little more."""
    return ticks(max(values, default=0))


def stretches(points: Iterable[Point], longest_step: float) -> Iterator[list[Point]]:
    """The points without the gaps between them: nothing is drawn where nothing was told."""
    known = list(points)
    begins = [0, *(place for place, (one, other) in enumerate(pairwise(known), 1) if other[0] - one[0] > longest_step)]
    for begin, end in pairwise([*begins, len(known)]):
        if end > begin:
            yield known[begin:end]


def clock(seconds: float) -> str:
    """Since the beginning."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
