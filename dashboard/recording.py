"""What the panels' queries were answered: all that the picture is drawn from."""

import math

from msgspec import Struct

from dashboard.panels import Dashboard, Panel, Target, filled_in, variables
from devcluster.prometheus.questions import Series, Span, query_range


class Line(Struct, frozen=True):
    """A series as its panel calls it: seconds since the beginning, and a value for each."""

    name: str
    points: tuple[tuple[float, float], ...]


class Answered(Struct, frozen=True):
    """A panel and what its queries gave."""

    panel: Panel
    lines: tuple[Line, ...]


class Mark(Struct, frozen=True):
    """Something that happened, so many seconds after the beginning."""

    at: float
    title: str


class Recording(Struct, frozen=True):
    """All panels over the same time."""

    title: str
    namespace: str
    seconds: float
    scraped_every: int
    prometheus: str
    """Its version."""
    panels: tuple[Answered, ...]
    marks: tuple[Mark, ...] = ()


def ask_all(url: str, dashboard: Dashboard, namespace: str, span: Span) -> tuple[Answered, ...]:
    """Every query of every panel, a point for each scrape. Raises DevclusterError for one that Prometheus does not take."""
    values = variables(namespace, scraped_every=span.step, step=span.step)
    return tuple(Answered(panel, _lines(url, panel, values, span)) for panel in dashboard.panels)


def _lines(url: str, panel: Panel, values: dict[str, str], span: Span) -> tuple[Line, ...]:
    return tuple(
        _line(target, series, span)
        for target in panel.targets
        for series in query_range(url, filled_in(target.expr, values), span)
    )


def _line(target: Target, series: Series, span: Span) -> Line:
    points = ((moment - span.start, value) for moment, value in series.points if math.isfinite(value))
    return Line(target.name(series.labels), tuple(points))
