"""Charts as one SVG, drawn by hand: lines and bars are all that is needed, and nothing has to be installed for them."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.result import Bars, Line, Lines, Series

WIDTH, CHART_HEIGHT, BAR_HEIGHT = 760, 340, 34
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 64
NAMES_WIDTH, VALUES_WIDTH = 250, 130
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#475569")
STYLE = "text{font:12px sans-serif;fill:#334155}.title{font-weight:600;font-size:14px}.grid{stroke:#e2e8f0}"


def as_svg(charts: Sequence[Lines | Bars]) -> str:
    """All charts, one below the other."""
    parts, height = [], 0
    for chart in charts:
        parts.append(f'<g transform="translate(0 {height})">{"".join(_elements(chart))}</g>')
        height += _height(chart)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    background = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", background, *parts, "</svg>\n"])


def _height(chart: Lines | Bars) -> int:
    return CHART_HEIGHT if isinstance(chart, Lines) else TOP + BAR_HEIGHT * len(chart.bars) + 16


def _elements(chart: Lines | Bars) -> Iterator[str]:
    yield _text(16, 24, chart.title, "title")
    yield from _lines(chart) if isinstance(chart, Lines) else _bars(chart)


def _lines(chart: Lines) -> Iterator[str]:
    points = [point for line in chart.lines for point in line.points]
    x_axis, y_axis = ticks(max(x for x, _ in points)), ticks(max(y for _, y in points))
    bottom = CHART_HEIGHT - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / x_axis[-1] * (WIDTH - LEFT - RIGHT)
        return across, bottom - y / y_axis[-1] * (bottom - TOP)

    for tick in y_axis:
        height = at(0, tick)[1]
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>'
        yield _text(LEFT - 6, height + 4, f"{tick:g}", anchor="end")
    for tick in x_axis:
        yield _text(at(tick, 0)[0], bottom + 16, f"{tick:g}", anchor="middle")
    yield _text(WIDTH - RIGHT, bottom + 34, chart.x_label, anchor="end")
    yield _text(LEFT, TOP - 6, chart.y_label)
    for place, line in enumerate(chart.lines):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line.points))
        yield f'<polyline points="{path}" fill="none" stroke="{_colour(place)}" stroke-width="2"/>'
    yield from _legend(chart.lines, CHART_HEIGHT - 12)


def _legend(lines: Sequence[Line], y: float) -> Iterator[str]:
    x = float(LEFT)
    for place, line in enumerate(lines):
        yield f'<rect x="{x:.1f}" y="{y - 9}" width="10" height="10" fill="{_colour(place)}"/>'
        yield _text(x + 14, y, line.name)
        x += 34 + 6.4 * len(line.name)


def _bars(chart: Bars) -> Iterator[str]:
    longest = max(max(bar.samples) for bar in chart.bars) or 1.0
    room = WIDTH - NAMES_WIDTH - VALUES_WIDTH
    for place, bar in enumerate(chart.bars):
        y = TOP + BAR_HEIGHT * place
        low, middle, high = (room * value / longest for value in (min(bar.samples), bar.median, max(bar.samples)))
        yield _text(NAMES_WIDTH - 8, y + 15, bar.name, anchor="end")
        yield f'<rect x="{NAMES_WIDTH}" y="{y}" width="{middle:.1f}" height="22" fill="{_colour(place)}"/>'
        yield f'<line stroke="#0f172a" x1="{NAMES_WIDTH + low:.1f}" x2="{NAMES_WIDTH + high:.1f}" y1="{y + 11}" y2="{y + 11}"/>'
        yield _text(NAMES_WIDTH + high + 8, y + 15, _value(bar, chart.unit))


def _value(bar: Series, unit: str) -> str:
    return f"{bar.median:.3g} {unit}"


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, about five of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [round(step * place, 10) for place in range(math.ceil(most / step - 1e-9) + 1)]


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(text)}</text>'
