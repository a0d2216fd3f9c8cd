"""What an SVG is made of, and how much room text takes."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise

LINE = 16.0
NARROW, WIDE = "iljtfrI.,:;|!'()[]/- ·", "mwMW@%"
STYLE = """
text { font: 11px "DejaVu Sans", Verdana, sans-serif; fill: #475569 }
.title { font-size: 12.5px; font-weight: 600; fill: #1e293b }
.heading { font-size: 20px; font-weight: 600; fill: #0f172a }
.number { font-size: 34px; font-weight: 600; fill: #047857 }
.mark { font-size: 9px; font-weight: 600; fill: #fff }
.axis { font-size: 10px; fill: #64748b }
.panel { fill: #fff; stroke: #dbe1ea }
.grid { stroke: #e8edf3 }
.happened { stroke: #94a3b8; stroke-dasharray: 2 3 }
.line { fill: none; stroke-width: 1.4; stroke-linejoin: round; stroke-linecap: round }
""".strip()

Point = tuple[float, float]


def text(x: float, y: float, label: str, style: str = "", anchor: str = "start") -> str:
    """A line of text; `anchor` says which of its ends, or its middle, is at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{_class(style)}>{escape(label)}</text>'


def lines(x: float, y: float, label: Sequence[str], style: str) -> Iterator[str]:
    """Several lines of text, one below the other."""
    for place, one in enumerate(label):
        yield text(x, y + LINE * place, one, style)


def called(label: str) -> str:
    """What the group that it is in is called: for who cannot see it, and for who points at it."""
    return f"<title>{escape(label)}</title>"


def straight(start: Point, end: Point, style: str) -> str:
    """A line from here to there."""
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{_class(style)}/>'


def rectangle(x: float, y: float, width: float, height: float, style: str = "", colour: str = "", corner: float = 0) -> str:
    """Filled with a colour, or as its style says."""
    fill = f' fill="{colour}"' if colour else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:g}"{fill}{_class(style)}/>'


def curve(points: Sequence[Point], colour: str) -> str:
    """Through these points; a single one is a dot."""
    shown = straightened(points) if len(points) > 1 else [*points, *points]
    return f'<path class="line" stroke="{colour}" d="{_path(shown)}"/>'


def area(points: Sequence[Point], bottom: float, colour: str) -> str:
    """What is between these points and the bottom."""
    around = [(points[0][0], bottom), *straightened(points), (points[-1][0], bottom)]
    return f'<path fill="{colour}" d="{_path(around)}Z"/>'


def group(x: float, y: float, parts: Iterable[str]) -> str:
    """Everything in it is moved to there."""
    return f'<g transform="translate({x:g} {y:g})">' + "".join(parts) + "</g>"


def straightened(points: Sequence[Point]) -> list[Point]:
    """Without the points in the midst of level stretches, which are most of them on a quiet day."""
    inner = [
        here for (before, here), (_, after) in pairwise(pairwise(points)) if not _same(before, here) or not _same(here, after)
    ]
    return [points[0], *inner, points[-1]]


def width(label: str, size: float = 11) -> float:
    """Of a line of text in pixels, rather too much than too little: fonts differ."""
    return size * sum(0.38 if one in NARROW else 0.95 if one in WIDE else 0.64 for one in label)


def wrapped(label: str, room: float, size: float) -> list[str]:
    """In lines that are not longer than that."""
    first, *others = label.split()
    found = [first]
    for word in others:
        longer = f"{found[-1]} {word}"
        if width(longer, size) <= room:
            found[-1] = longer
        else:
            found.append(word)
    return found


def _same(one: Point, other: Point) -> bool:
    return round(one[1], 1) == round(other[1], 1)


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _class(style: str) -> str:
    return f' class="{style}"' if style else ""
