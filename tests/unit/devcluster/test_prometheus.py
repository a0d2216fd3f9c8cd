"""What Prometheus is told."""

import json
from pathlib import Path

import pytest

from devcluster.go_module import GoModule
from devcluster.prometheus import program
from devcluster.prometheus.configuration import Configuration, Target
from devcluster.prometheus.program import PROMETHEUS, prometheus_version

RULES = Path("/somewhere/alerts.yaml")


def test_each_target_has_its_labels() -> None:
    """Its address is what Prometheus knows it by."""
    told = json.loads(Configuration([Target("http://127.0.0.1:8080", {"pod": "one"})], 5, RULES).text())
    (scraped,) = told["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["127.0.0.1:8080"], "labels": {"pod": "one"}}]
    assert told["rule_files"] == [str(RULES)]
    assert set(told["global"].values()) == {"5s"}


def test_the_version_is_that_of_the_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The module's versions are written otherwise."""
    (tmp_path / "go.mod").write_text(f"require {PROMETHEUS} v0.305.2\n")
    monkeypatch.setattr(program, "MODULE", GoModule(tmp_path, "Prometheus", (), versioned_by=PROMETHEUS))
    assert prometheus_version() == "3.5.2"
