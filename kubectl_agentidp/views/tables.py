"""Tables as kubectl prints them: columns as wide as their widest cell, three spaces apart, no lines."""

from collections.abc import Sequence

GAP = "   "


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table, without spaces at the ends of its lines."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
