"""Which binary belongs to this checkout."""

from pathlib import Path

import pytest

from devcluster.binary import MODULE, linker_flags
from devcluster.go_module import GoModule


def test_the_cache_is_outside_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the person keeps caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert Path("/caches/agentidp/controlplane") == MODULE.cache


def test_a_change_of_the_source_makes_another_binary(tmp_path: Path) -> None:
    """And the version can be read from its key."""
    (tmp_path / "go.mod").write_text("require (\n\tk8s.io/kubernetes v1.36.3\n)\n")
    (tmp_path / "go.sum").touch()
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "main.go").write_text("package main\n")
    module = GoModule(tmp_path, "a program", ("node",), versioned_by="k8s.io/kubernetes")
    before = module.cache_key()
    (tmp_path / "node" / "main.go").write_text("package main // changed\n")
    assert before.startswith("v1.36.3-")
    assert module.cache_key() != before


def test_the_programs_report_the_version_that_is_compiled() -> None:
    """Taken from go.mod, the only place that names it."""
    version = MODULE.required_version("k8s.io/kubernetes")
    assert f"gitVersion={version}" in linker_flags()
