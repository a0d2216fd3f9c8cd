"""The picture: how a recording is drawn."""

from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree as Xml

import pytest

from dashboard.__main__ import PICTURE
from dashboard.panels import FieldConfig, Panel, Place, Target, the_dashboard
from dashboard.picture.elements import straightened, width, wrapped
from dashboard.picture.legend import MAX_ROWS, legend
from dashboard.picture.page import TITLE, WIDTH, as_svg
from dashboard.picture.scales import Box, Scale, without_gaps
from dashboard.picture.units import with_unit
from dashboard.recording import Answered, Line, Mark, Recording

SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 300_000
HALF_A_ROW = 5.0
SIZES = {"axis": 10, "mark": 9, "number": 34, "title": TITLE, "heading": 20}


class Written(NamedTuple):
    """A line of text on the page, and about where."""

    told: str
    left: float
    right: float
    y: float


def a_panel(kind: str = "timeseries", x: int = 0) -> Panel:
    """Any."""
    return Panel("One & two", kind, Place(x, 0, 12, 8), (Target("m"),), FieldConfig())


def a_recording(*panels: Answered) -> Recording:
    """A minute of these panels."""
    return Recording("AgentIdP", "agentidp-system", 60, 5, "3.5.0", panels, (Mark(20, "less < more"),))


def beyond(one: Written) -> bool:
    """Whether it does not end on the page."""
    return one.left < 0 or one.right > WIDTH


def the_texts(picture: str) -> list[Written]:
    """All of a picture; what turns text around is not looked for."""
    return list(_texts(Xml.fromstring(picture), 0, 0))  # noqa: S314 our own


def the_titles(picture: str) -> list[str]:
    """Of its panels."""
    return [one.text or "" for one in Xml.fromstring(picture).iter(f"{SVG}title")]  # noqa: S314 our own


def _texts(element: Xml.Element, x: float, y: float) -> list[Written]:
    found = []
    for one in element:
        if one.tag == f"{SVG}g":
            across, down = one.attrib["transform"].removeprefix("translate(").removesuffix(")").split()
            found += _texts(one, x + float(across), y + float(down))
        if one.tag == f"{SVG}text":
            told, size = one.text or "", SIZES.get(one.get("class", ""), 11)
            share = {"start": 0.0, "middle": 0.5, "end": 1.0}[one.attrib["text-anchor"]]
            left = x + float(one.attrib["x"]) - share * width(told, size)
            found.append(Written(told, left, left + width(told, size), y + float(one.attrib["y"])))
    return found


def overlap(one: Written, other: Written) -> bool:
    """Whether they are in each other's way."""
    return abs(one.y - other.y) < HALF_A_ROW and one.left < other.right and other.left < one.right


def test_picture_draws_the_data_of_every_panel() -> None:
    """A graph, a number, and a panel that was answered nothing, which says so."""
    line = Line("a < b", ((0, 1.0), (5, 2.0), (10, 0.5)))
    picture = as_svg(
        a_recording(Answered(a_panel(), (line,)), Answered(a_panel("stat", 12), (line,)), Answered(a_panel(x=24), ()))
    )
    told = [one.told for one in the_texts(picture)]
    assert told.count("One & two") == 3
    assert {"a < b", "0.5", "No data", "0:20 less < more"} <= set(told)
    assert picture.count('class="line"') == 2


def test_picture_of_the_guide_shows_this_dashboard() -> None:
    """`make dashboard` draws it anew after a panel has changed its name; no panel is empty."""
    picture = PICTURE.read_text()
    assert the_titles(picture) == [panel.title for panel in the_dashboard().panels]
    assert "No data" not in [one.told for one in the_texts(picture)]


def test_picture_of_the_guide_is_legible() -> None:
    """No text is in the way of another, and it does not take long to load."""
    written = the_texts(PICTURE.read_text())
    assert [(one.told, other.told) for one, other in combinations(written, 2) if overlap(one, other)] == []
    assert [one.told for one in written if beyond(one)] == []
    assert PICTURE.stat().st_size < MOST_BYTES


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0, "s", "0 s"),
        (0.00025, "s", "250 µs"),
        (0.0125, "s", "12.5 ms"),
        (90, "s", "1.5 min"),
        (2_592_000, "s", "30 d"),
        (12.34, "reqps", "12.3 req/s"),
        (0, "ops", "0 ops/s"),
        (1234, "short", "1.23 K"),
        (7, "short", "7"),
    ],
)
def test_picture_values_have_units(value: float, unit: str, told: str) -> None:
    """With three digits."""
    assert with_unit(value, unit) == told


def test_picture_has_gaps_where_samples_are_missing() -> None:
    """A line has a gap while its program was away."""
    points = [(0.0, 1.0), (5.0, 1.0), (60.0, 2.0), (65.0, 2.0)]
    assert list(without_gaps(points, 7.5)) == [points[:2], points[2:]]
    assert list(without_gaps([], 7.5)) == []


def test_picture_line_keeps_the_ends_of_level_parts_only() -> None:
    """Most metrics do not change most of the time."""
    assert straightened([(0, 1), (5, 1), (10, 1), (15, 3), (20, 3)]) == [(0, 1), (10, 1), (15, 3), (20, 3)]


def test_scale_has_round_time_ticks_with_room_for_their_labels() -> None:
    """Fewer on a narrower panel."""
    wide, narrow = (Scale(Box(0, 0, across, 100), 720, 10) for across in (560, 240))
    assert wide.time_ticks() == [0, 120, 240, 360, 480, 600, 720]
    assert narrow.time_ticks() == [0, 240, 480, 720]
    assert wide.at(360, 5) == (280, 50)


def test_picture_title_wraps() -> None:
    """Where its panel is narrow; a word that is too long stays whole."""
    assert wrapped("Last word from the API server", 130, 11) == ["Last word from the", "API server"]
    assert wrapped("agentidp-token-service", 20, 11) == ["agentidp-token-service"]


def test_picture_legend_wraps() -> None:
    """And counts what has no room at all."""
    assert [one.row for one in legend(["one", "two", "three"], 100).entries] == [0, 0, 1]
    told = legend([f"a rather long name {number}" for number in range(20)], 200)
    assert told.entries[-1].name == f"and {20 - (MAX_ROWS - 1)} more"
