"""The dashboard of the chart as values: panels, their places, and their queries as Grafana would send them."""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from devcluster.chart import CHART

FILE = CHART / "files" / "dashboard.json"
COLUMNS = 24
SCRAPES_IN_A_RATE = 4
"""Grafana lets `$__rate_interval` be at least so many scrapes long."""


class Place(Struct, frozen=True):
    """On a grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


class Target(Struct, frozen=True, rename="camel"):
    """One query, and what its series are called."""

    expr: str
    legend_format: str = ""

    def name(self, labels: Mapping[str, str]) -> str:
        """Of a series in the legend: `{{label}}` is the label's value."""
        return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), self.legend_format).strip()


class Defaults(Struct, frozen=True):
    """The unit in which a panel writes values."""

    unit: str = "short"


class FieldConfig(Struct, frozen=True):
    """As Grafana has it, around what is of interest."""

    defaults: Defaults = Defaults()


class Panel(Struct, frozen=True, rename="camel"):
    """A graph ("timeseries"), or one number with a small graph behind it ("stat")."""

    title: str
    kind: str = field(name="type")
    grid_pos: Place
    targets: tuple[Target, ...]
    field_config: FieldConfig = FieldConfig()

    @property
    def unit(self) -> str:
        """Grafana's name of the unit."""
        return self.field_config.defaults.unit


class Dashboard(Struct, frozen=True):
    """The panels of the dashboard, in order."""

    title: str
    panels: tuple[Panel, ...]


def the_dashboard() -> Dashboard:
    """As it is in the chart."""
    return msgspec.json.decode(FILE.read_bytes(), type=Dashboard)


def filled_in(expression: str, variables: Mapping[str, str]) -> str:
    """The query with the values of its variables. Raises KeyError for one that has none."""
    return re.sub(r"\$(\w+)", lambda found: variables[found[1]], expression)


def variables(namespace: str, scraped_every: int, step: int) -> dict[str, str]:
    """What a panel's query may name; both in seconds."""
    rate = max(step + scraped_every, SCRAPES_IN_A_RATE * scraped_every)
    return {"namespace": namespace, "__rate_interval": f"{rate}s"}
