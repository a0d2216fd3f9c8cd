"""What a benchmark returns: series of samples, ratios to a baseline of the same run, single figures, targets and charts."""

import math
import statistics
from collections.abc import Sequence

from msgspec import Struct


class Series(Struct, frozen=True):
    """Samples of one quantity, in the order in which they were taken."""

    name: str
    unit: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the samples are less."""
        return statistics.median(self.samples)

    def percentile(self, percent: float) -> float:
        """The smallest sample that is not less than so many percent of all (nearest rank)."""
        ordered = sorted(self.samples)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


class Ratio(Struct, frozen=True):
    """Candidate divided by baseline, once for each round in which both were measured side by side."""

    name: str
    values: tuple[float, ...]


class Figure(Struct, frozen=True):
    """One number that has no spread, such as a count."""

    name: str
    value: float
    unit: str = ""


class Target(Struct, frozen=True):
    """What we said that we would reach, and what was measured."""

    claim: str
    measured: float
    at_most: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached on this machine, in this run."""
        return self.measured <= self.at_most


class Line(Struct, frozen=True):
    """One line of a chart: (x, y) from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


class Lines(Struct, frozen=True):
    """A chart of lines over a common axis."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]


class Bars(Struct, frozen=True):
    """A chart of bars; each has the samples whose median is its length, and whose spread is drawn upon it."""

    title: str
    unit: str
    bars: tuple[Series, ...]


class Result(Struct, frozen=True, kw_only=True):
    """All that one benchmark has found out."""

    title: str
    method: str
    """How it was measured, in a sentence or two."""
    series: tuple[Series, ...]
    ratios: tuple[Ratio, ...] = ()
    figures: tuple[Figure, ...] = ()
    targets: tuple[Target, ...] = ()
    charts: tuple[Lines | Bars, ...] = ()


def series(name: str, unit: str, samples: Sequence[float]) -> Series:
    """Of any samples, rounded to what a clock can tell."""
    return Series(name, unit, tuple(round(one, 6) for one in samples))


def ratio(name: str, candidate: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """Return the ratio of two series, per round."""
    return Ratio(name, tuple(round(one / other, 4) for one, other in zip(candidate, baseline, strict=True)))


def distribution(of: Series) -> Line:
    """The share of samples (in percent) that are not more than x."""
    ordered = sorted(of.samples)
    return Line(of.name, tuple((value, 100 * (place + 1) / len(ordered)) for place, value in enumerate(ordered)))
