"""Plots: charts as SVG."""

from xml.etree import ElementTree as Xml

import pytest

from benchmarks.report.plots import as_svg, ticks
from benchmarks.result import Bars, Line, Lines, series

LINES = Lines("One < two", "s", "count", (Line("a & b", ((0, 0), (2, 5))), Line("flat", ((0, 0), (3, 0)))))
BARS = Bars("Bars", "ms", (series("one", "ms", [1, 2, 3]), series("nothing", "ms", [0])))


def test_plots_are_well_formed() -> None:
    """Whatever their names hold."""
    drawn = Xml.fromstring(as_svg([LINES, BARS]))  # noqa: S314 our own
    assert len(drawn.findall(".//{*}polyline")) == 2


@pytest.mark.parametrize(("most", "drawn"), [(0, [0, 1]), (9.3, [0, 2, 4, 6, 8, 10]), (0.04, [0, 0.01, 0.02, 0.03, 0.04])])
def test_plot_ticks_are_round_and_cover_all_values(most: float, drawn: list[float]) -> None:
    """About five."""
    assert ticks(most) == drawn
