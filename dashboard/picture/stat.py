"""A panel with one number, and behind it how it came to that."""

from collections.abc import Iterator

from dashboard.picture.elements import area, curve, text
from dashboard.picture.scales import Box, Scale, levels, without_gaps
from dashboard.picture.units import with_unit
from dashboard.recording import Answered, Recording

COLOUR, SHADE = "#059669", "#d1fae5"


def stat(answered: Answered, recording: Recording, across: float, down: float) -> Iterator[str]:
    """In so many pixels; the panel's title is above."""
    (line,) = answered.lines
    box = Box(1, down * 0.62, across - 1, down - 1)
    scale = Scale(box, recording.seconds, levels(value for _, value in line.points)[-1])
    for points in without_gaps(line.points, 1.5 * recording.scraped_every):
        placed = [scale.at(*point) for point in points]
        yield area(placed, box.bottom, SHADE)
        yield curve(placed, COLOUR)
    _, last = line.points[-1]
    yield text(across / 2, down * 0.46, with_unit(last, answered.panel.unit), "number", "middle")
