"""Scales: from times and values to points on the page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.report.plots import ticks
from dashboard.picture.elements import Point

ROUND_TIMES = (30, 60, 120, 240, 300, 600, 1200)
LABEL_ROOM = 62
"""Pixels that the label of a time takes, with a margin."""


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
    maximum: float

    def at(self, seconds_in: float, value: float) -> Point:
        """Return the point of a value at a time, in pixels."""
        box = self.box
        across = box.left + seconds_in / self.seconds * (box.right - box.left)
        return across, box.bottom - value / self.maximum * (box.bottom - box.top)

    def time_ticks(self) -> list[float]:
        """Return round times, as many as have room for their labels."""
        room = int((self.box.right - self.box.left) / LABEL_ROOM)
        step = next((one for one in ROUND_TIMES if self.seconds / one <= room), ROUND_TIMES[-1])
        return [float(seconds_in) for seconds_in in range(0, int(self.seconds) + 1, step)]


def levels(values: Iterable[float]) -> list[float]:
    """Round numbers from 0 to the highest value or a little more."""
    return ticks(max(values, default=0))


def without_gaps(points: Iterable[Point], longest_step: float) -> Iterator[list[Point]]:
    """The points without the gaps between them: nothing is drawn where no sample was."""
    samples = list(points)
    begins = [0, *(place for place, (one, other) in enumerate(pairwise(samples), 1) if other[0] - one[0] > longest_step)]
    for begin, end in pairwise([*begins, len(samples)]):
        if end > begin:
            yield samples[begin:end]


def clock(seconds: float) -> str:
    """Return seconds since the beginning as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
