"""What a graph's colours mean: names in rows, as many as fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.picture.elements import rectangle, text, width

ROW = 15.0
MAX_ROWS = 7
KEY, GAP = 16.0, 12.0
COLOURS = (
    "#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2",
    "#db2777", "#65a30d", "#64748b", "#92400e", "#4338ca", "#0f766e",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A name at its place."""

    x: float
    row: int
    name: str
    colour: str


@dataclass(frozen=True)
class Legend:
    """The entries of a legend, in rows."""

    entries: tuple[Entry, ...]

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return ROW * (1 + max((one.row for one in self.entries), default=-1))

    def elements(self, left: float, top: float) -> Iterator[str]:
        """Draw the entries from this point on."""
        for one in self.entries:
            y = top + ROW * one.row
            if one.colour:
                yield rectangle(left + one.x, y + 4, 11, 3, colour=one.colour, corner=1.5)
            yield text(left + one.x + KEY, y + 9, one.name)


def colour(place: int) -> str:
    """Of the series at this place."""
    return COLOURS[place % len(COLOURS)]


def legend(names: Sequence[str], room: float) -> Legend:
    """Rows of at most so many pixels; names that would need too many rows are counted instead."""
    entries = list(_placed(names, room))
    if entries and entries[-1].row >= MAX_ROWS:
        kept = [one for one in entries if one.row < MAX_ROWS - 1]
        remainder = f"and {len(entries) - len(kept)} more"
        return Legend((*kept, Entry(0, MAX_ROWS - 1, remainder, "")))
    return Legend(tuple(entries))


def _placed(names: Sequence[str], room: float) -> Iterator[Entry]:
    x, row = 0.0, 0
    for place, name in enumerate(names):
        needed = KEY + width(name)
        if x and x + needed > room:
            x, row = 0.0, row + 1
        yield Entry(x, row, name, colour(place))
        x += needed + GAP
