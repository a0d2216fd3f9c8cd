"""A panel with lines over time."""

from collections.abc import Iterator, Sequence

from dashboard.picture.elements import curve, rectangle, straight, text, width
from dashboard.picture.legend import colour, legend
from dashboard.picture.scales import Box, Scale, clock, levels, without_gaps
from dashboard.picture.units import with_unit
from dashboard.recording import Answered, Mark, Recording

SIDE, TOP, BOTTOM = 12.0, 44.0, 10.0
MOMENTS = 20.0
"""The height of the labels of the time axis."""


def graph(answered: Answered, recording: Recording, across: float, down: float) -> Iterator[str]:
    """Axes, what happened, lines and legend, in so many pixels; the panel's title is above."""
    names = [line.name for line in answered.lines]
    key = legend(names, across - 2 * SIDE)
    marks = levels(value for line in answered.lines for _, value in line.points)
    labels = [with_unit(value, answered.panel.unit) for value in marks]
    box = Box(SIDE + max(width(label, 10) for label in labels) + 4, TOP, across - SIDE, down - BOTTOM - key.height - MOMENTS)
    scale = Scale(box, recording.seconds, marks[-1])
    yield from _values(scale, marks, labels)
    yield from _time_axis(scale)
    yield from _events(scale, recording.marks)
    yield from _lines(scale, answered, recording.scraped_every)
    yield from key.elements(SIDE, down - BOTTOM - key.height + 2)


def mark(x: float, y: float, number: int) -> str:
    """The number of something that happened."""
    return rectangle(x - 6, y - 6, 12, 12, colour="#64748b", corner=6) + text(x, y + 3.2, str(number), "mark", "middle")


def _values(scale: Scale, marks: Sequence[float], labels: Sequence[str]) -> Iterator[str]:
    for value, label in zip(marks, labels, strict=True):
        _, y = scale.at(0, value)
        yield straight((scale.box.left, y), (scale.box.right, y), "grid")
        yield text(scale.box.left - 5, y + 3.5, label, "axis", "end")


def _time_axis(scale: Scale) -> Iterator[str]:
    for seconds_in in scale.time_ticks():
        x, _ = scale.at(seconds_in, 0)
        anchor = "end" if seconds_in == scale.seconds else "middle"
        yield text(x, scale.box.bottom + 14, clock(seconds_in), "axis", anchor)


def _events(scale: Scale, marks: Sequence[Mark]) -> Iterator[str]:
    for number, one in enumerate(marks, 1):
        x, _ = scale.at(one.at, 0)
        yield straight((x, scale.box.top), (x, scale.box.bottom), "happened")
        yield mark(x, scale.box.top - 8, number)


def _lines(scale: Scale, answered: Answered, step: float) -> Iterator[str]:
    """The first is on top, as the legend has it."""
    for place, line in reversed(list(enumerate(answered.lines))):
        for points in without_gaps(line.points, 1.5 * step):
            yield curve([scale.at(*point) for point in points], colour(place))
