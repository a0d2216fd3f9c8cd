"""The dashboard as values, and its queries as Grafana would send them."""

import pytest

from dashboard.panels import Target, filled_in, variables


def test_a_query_is_sent_with_the_values_of_its_variables() -> None:
    """A rate spans four scrapes, so that one that is missed does not matter."""
    asked = filled_in('rate(m{namespace="$namespace"}[$__rate_interval])', variables("idp", scraped_every=30, step=30))
    assert asked == 'rate(m{namespace="idp"}[120s])'


def test_points_far_apart_have_rates_over_all_that_is_between() -> None:
    """And one scrape more."""
    assert variables("idp", scraped_every=30, step=300)["__rate_interval"] == "330s"


def test_a_variable_that_nobody_knows_is_an_error() -> None:
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
def test_a_series_is_called_as_its_panel_says(template: str, name: str) -> None:
    """Each is a template with what it gives."""
    assert Target("m", template).name({"phase": "Active", "reason": "Issued"}) == name
