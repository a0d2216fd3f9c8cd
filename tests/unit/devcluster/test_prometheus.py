"""Prometheus: its configuration, and the version of its release."""

import json
from pathlib import Path

from devcluster.go_module import GoModule
from devcluster.prometheus.configuration import Configuration, Target
from devcluster.prometheus.program import PROMETHEUS, prometheus_version

RULES = Path("/somewhere/alerts.yaml")


def test_prometheus_target_has_its_labels() -> None:
    """Prometheus identifies it by its address."""
    configuration = json.loads(Configuration([Target("http://127.0.0.1:8080", {"pod": "one"})], 5, RULES).text())
    (scraped,) = configuration["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["127.0.0.1:8080"], "labels": {"pod": "one"}}]
    assert configuration["rule_files"] == [str(RULES)]
    assert set(configuration["global"].values()) == {"5s"}


def test_prometheus_version_is_that_of_the_release(tmp_path: Path) -> None:
    """The Go module v0.305.2 is release 3.5.2."""
    (tmp_path / "go.mod").write_text(f"require {PROMETHEUS} v0.305.2\n")
    assert prometheus_version(GoModule(tmp_path, "Prometheus", (), versioned_by=PROMETHEUS)) == "3.5.2"
