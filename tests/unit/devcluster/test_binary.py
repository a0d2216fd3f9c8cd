"""The compiled binary: which one belongs to this checkout."""

from pathlib import Path

import pytest

from devcluster.binary import MODULE, linker_flags
from devcluster.go_module import GoModule


def test_binary_cache_is_outside_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the person keeps caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert Path("/caches/agentidp/controlplane") == MODULE.cache


def test_binary_changes_with_its_source(tmp_path: Path) -> None:
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


def test_binary_reports_the_compiled_version() -> None:
    """Taken from go.mod, the only place that names it."""
    version = MODULE.required_version("k8s.io/kubernetes")
    assert f"gitVersion={version}" in linker_flags()
