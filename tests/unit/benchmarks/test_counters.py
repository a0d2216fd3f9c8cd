"""Counters: reading the metrics of programs."""

from benchmarks.measure.counters import total, writes_at_api_server

TOLD = """
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="secrets",subresource="",verb="GET"} 7
apiserver_request_total{code="201",resource="secrets",subresource="",verb="POST"} 2
apiserver_request_total{code="409",resource="secrets",subresource="",verb="POST"} 1
apiserver_request_total{code="200",resource="agents",subresource="status",verb="PUT"} 1e+03
apiserver_request_total{code="200",resource="events",subresource="",verb="POST"} 5
queue_length 3.5
queue_length_total{kind="agent"} 9
"""


def test_counters_count_writes_of_the_given_resource_only() -> None:
    """Whatever their outcome; status apart from the object."""
    assert writes_at_api_server(TOLD, ["secrets", "agents"]) == {"secrets": 3, "agents/status": 1000}


def test_counters_tell_metrics_with_a_common_prefix_apart() -> None:
    """With labels or without."""
    assert total("queue_length", TOLD) == 3.5


def test_counters_select_samples_by_labels() -> None:
    """By all that are named."""
    assert total("apiserver_request_total", TOLD, resource="secrets", verb="POST") == 3
