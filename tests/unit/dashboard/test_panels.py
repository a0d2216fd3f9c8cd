"""Panels: the dashboard as values, and its queries as Grafana sends them."""

import pytest

from dashboard.panels import Target, filled_in, variables


def test_panel_query_has_the_values_of_its_variables() -> None:
    """A rate spans four scrapes, so that one that is missed does not matter."""
    asked = filled_in('rate(m{namespace="$namespace"}[$__rate_interval])', variables("idp", scraped_every=30, step=30))
    assert asked == 'rate(m{namespace="idp"}[120s])'


def test_panel_rate_interval_covers_the_step() -> None:
    """And one scrape more."""
    assert variables("idp", scraped_every=30, step=300)["__rate_interval"] == "330s"


def test_panel_query_with_an_unknown_variable_is_an_error() -> None:
    """The picture would be of another dashboard."""
    with pytest.raises(KeyError, match="pod"):
        filled_in('m{pod="$pod"}', {"namespace": "idp"})


@pytest.mark.parametrize(
    ("template", "name"),
    {
        "labels of the series": ("{{phase}} {{reason}}", "Active Issued"),
        "a label that it does not have": ("{{phase}} {{kind}}", "Active"),
        "a fixed name": ("p95", "p95"),
        "nothing": ("", ""),
    }.values(),
)
def test_panel_series_is_named_by_its_legend(template: str, name: str) -> None:
    """Each is a template with what it gives."""
    assert Target("m", template).name({"phase": "Active", "reason": "Issued"}) == name
