"""The whole page: a heading, what happened, and every panel at its place on the grid."""

from collections.abc import Iterator, Sequence

from dashboard.panels import COLUMNS
from dashboard.picture.elements import STYLE, called, group, lines, rectangle, text, width, wrapped
from dashboard.picture.graph import graph, mark
from dashboard.picture.scales import clock
from dashboard.picture.stat import stat
from dashboard.recording import Answered, Mark, Recording

WIDTH, EDGE, GAP = 1280.0, 16.0, 8.0
COLUMN = (WIDTH - 2 * EDGE + GAP) / COLUMNS
ROW = 36.0
HEADING, MARK_ROW = 62.0, 20.0
TITLE = 13.5
"""What letters of a title need, which are bold."""


def as_svg(recording: Recording) -> str:
    """Draw the recording as an SVG document."""
    happened = list(_happened(recording.marks))
    top = HEADING + MARK_ROW * (1 + max((row for _, row, _ in happened), default=-1)) + 8
    height = top + ROW * max(one.panel.grid_pos.y + one.panel.grid_pos.h for one in recording.panels) + EDGE - GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" height="{height:g}">'
    parts = [
        f"<style>{STYLE}</style>",
        rectangle(0, 0, WIDTH, height, colour="#f4f6f9"),
        *_heading(recording),
        *(group(EDGE + x, HEADING + MARK_ROW * row, [label]) for x, row, label in happened),
        *(_panel(one, recording, top) for one in recording.panels),
    ]
    return "\n".join([head, *parts, "</svg>\n"])


def _heading(recording: Recording) -> Iterator[str]:
    yield text(EDGE, 32, f"{recording.title} in {recording.namespace}", "heading")
    yield text(
        EDGE,
        51,
        f"{recording.seconds / 60:g} minutes of a real cluster, scraped every {recording.scraped_every} s. Drawn from the "
        f"dashboard's own queries, asked of Prometheus {recording.prometheus}; not a screenshot of Grafana.",
    )


def _happened(marks: Sequence[Mark]) -> Iterator[tuple[float, int, str]]:
    """What happened, in rows across the page: where each is, in which row, and its elements."""
    x, row = 0.0, 0
    for number, one in enumerate(marks, 1):
        label = f"{clock(one.at)} {one.title}"
        needed = 18 + width(label)
        if x and x + needed > WIDTH - 2 * EDGE:
            x, row = 0.0, row + 1
        yield x, row, mark(6, 10, number) + text(17, 14, label)
        x += needed + 16


def _panel(answered: Answered, recording: Recording, top: float) -> str:
    place = answered.panel.grid_pos
    across, down = place.w * COLUMN - GAP, place.h * ROW - GAP
    return group(EDGE + place.x * COLUMN, top + place.y * ROW, _parts(answered, recording, across, down))


def _parts(answered: Answered, recording: Recording, across: float, down: float) -> Iterator[str]:
    yield called(answered.panel.title)
    yield rectangle(0, 0, across, down, "panel", corner=4)
    yield from lines(12, 21, wrapped(answered.panel.title, across - 24, TITLE), "title")
    if not any(line.points for line in answered.lines):
        yield text(across / 2, down / 2, "No data", anchor="middle")
    else:
        yield from (stat if answered.panel.kind == "stat" else graph)(answered, recording, across, down)
