"""Metrics: labels are of a bounded number, whatever strangers send."""

from management_api.metrics import Metrics


def test_request_without_a_route_is_counted_without_its_method() -> None:
    """A client may invent methods; each would be another time series."""
    metrics = Metrics()
    for number in range(10):
        metrics.answered(f"METHOD{number}", "none", 404, 0.001)
    metrics.answered("GET", "/api/v1/agents", 200, 0.001)
    text = metrics.text().decode()
    assert 'agentidp_management_requests_total{method="any",route="none",status="404"} 10.0' in text
    assert 'agentidp_management_requests_total{method="GET",route="/api/v1/agents",status="200"} 1.0' in text


def test_gauge_is_read_at_each_scrape() -> None:
    """Nobody has to keep it up to date."""
    metrics, values = Metrics(), [1.0, 2.0]
    metrics.add_gauge("staleness_seconds", "Time since the last word from the API server.", lambda: values.pop(0))
    assert "agentidp_management_staleness_seconds 1.0" in metrics.text().decode()
    assert "agentidp_management_staleness_seconds 2.0" in metrics.text().decode()


def test_watch_failure_is_counted_by_kind() -> None:
    """The alert names the kind that is stale."""
    metrics = Metrics()
    metrics.watch_failed("agents")
    assert 'agentidp_management_watch_failures_total{kind="agents"} 1.0' in metrics.text().decode()
