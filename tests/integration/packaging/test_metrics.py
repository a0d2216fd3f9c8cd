"""What each program tells Prometheus of itself, and where."""

import platform
from http import HTTPStatus
from importlib.metadata import version

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from devcluster.ports import ReservedPort
from devcluster.programs import PROGRAMS, TOKEN_SERVICE, Programs

PROCESS = {
    "process_cpu_seconds",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
}
"""The names that the page "Writing client libraries" of Prometheus has for them, but for what Linux does not tell."""


@pytest.fixture(params=[program.name for program in PROGRAMS])
def families(request: pytest.FixtureRequest, all_programs: Programs) -> dict[str, Metric]:
    """All that a program tells, by name."""
    text = httpx.get(f"{all_programs.url(request.param)}/metrics").raise_for_status().text
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_a_program_tells_its_version(families: dict[str, Metric]) -> None:
    """`docs/guides/monitoring.md` promises it: what runs where is seen during an upgrade."""
    (told,) = families["agentidp_build_info"].samples
    assert told.value == 1
    assert told.labels == {"version": version("agentidp"), "python": platform.python_version()}


def test_a_program_tells_what_its_process_takes(families: dict[str, Metric]) -> None:
    """CPU, memory, open files and the start, by the names that Prometheus gives them."""
    assert families.keys() >= PROCESS
    assert all(families[name].samples[0].value > 0 for name in PROCESS)


def test_histograms_of_times_are_named_alike(families: dict[str, Metric]) -> None:
    """Each is a duration in seconds."""
    histograms = [name for name, family in families.items() if family.type == "histogram"]
    assert all(name.startswith("agentidp_") and name.endswith("_duration_seconds") for name in histograms)


def test_metrics_are_where_they_were_told_to_be_and_nowhere_else(all_programs: Programs) -> None:
    """Whoever asks for tokens could tell by them what answers do not say. And nothing else is answered there."""
    url, port = all_programs.token_url, ReservedPort()
    all_programs.restart(TOKEN_SERVICE.name, {"AGENTIDP_METRICS_LISTEN": f"127.0.0.1:{port.number}"})
    try:
        apart = f"http://127.0.0.1:{port.number}"
        assert httpx.get(f"{url}/metrics").status_code == HTTPStatus.NOT_FOUND
        assert "agentidp_requests_total" in httpx.get(f"{apart}/metrics").text
        for path in ("/api/v1/token", "/readyz", "/internal/usage"):
            assert httpx.get(f"{apart}{path}").status_code == HTTPStatus.NOT_FOUND
    finally:
        all_programs.restart(TOKEN_SERVICE.name)
        port.release()
