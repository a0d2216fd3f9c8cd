"""Requirements: what is printed if a node cannot run."""

import sys

import pytest

from devcluster.__main__ import CANNOT_RUN_HERE, main
from devcluster.node.requirements import FOR_TESTS, PACKAGES


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is Linux that is missing")
def test_requirements_name_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By the command that installs it, and with an exit status of its own."""
    monkeypatch.setitem(PACKAGES, "no-such-program", "no-such-package")
    monkeypatch.setattr(sys, "argv", ["devcluster", "prepare-node"])
    assert main() == CANNOT_RUN_HERE
    told = capsys.readouterr().err
    assert told.startswith("not run: a node cannot run on this machine: ")
    assert "no-such-package" in told


def test_requirements_list_missing_packages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line of words, for `apt-get install`."""
    monkeypatch.setitem(PACKAGES, "no-such-program", "no-such-package")
    monkeypatch.setitem(FOR_TESTS, "no-such-tool", "no-such-tools")
    monkeypatch.setattr(sys, "argv", ["devcluster", "missing-packages"])
    assert main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert {"no-such-package", "no-such-tools"} <= set(line.split())
