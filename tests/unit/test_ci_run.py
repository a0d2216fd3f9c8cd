"""`.ci/run`: its exit status and its last lines when a part fails or cannot run. Its commands are stand-ins."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.crd_schema import CHECKOUT

CLOSING = ["=== 5 passed in 1.00s ===", "=== 7 passed in 2.00s (0:00:02) ==="]
ON_A_NODE = "=== 3 passed in 3.00s ==="
CANNOT = "a node cannot run on this machine: it needs root"
STAND_INS = {
    "bin/make": f"""
        case "$*" in
          check) exit "${{CHECK:-0}}" ;;
          *test) printf '%s\\n' "{CLOSING[0]}" "{CLOSING[1]}"; exit "${{TESTS:-0}}" ;;
          e2e) echo "{ON_A_NODE}"; exit "${{ON_A_NODE:-0}}" ;;
        esac
    """,
    ".venv/bin/python": f"""
        case "$*" in
          *prepare-node) if [ "${{PREPARED:-0}}" = 77 ]; then echo "not run: {CANNOT}" >&2; fi; exit "${{PREPARED:-0}}" ;;
          *missing-packages) echo "${{MISSING:-}}" ;;
        esac
    """,
    "bin/apt-get": 'exit "${INSTALLED:-0}"',
}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The script in a checkout of stand-ins, which end as they are told to."""
    for place, text in STAND_INS.items():
        program = tmp_path / place
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/usr/bin/env bash\n{text}")
        program.chmod(0o755)
    (tmp_path / ".ci").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "run", tmp_path / ".ci" / "run")

    def run(**told: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "E2E": "yes"} | told
        return subprocess.run(["bash", tmp_path / ".ci/run"], env=environment, capture_output=True, text=True, check=False)

    return run


def test_ci_run_prints_the_summaries_of_all_tests_last(run: Run) -> None:
    """In their order."""
    done = run()
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == [*CLOSING, ON_A_NODE]
    assert "notice" not in done.stdout


@pytest.mark.parametrize("part", ["CHECK", "TESTS", "ON_A_NODE"])
def test_ci_run_fails_if_any_part_fails_and_runs_all_parts(part: str, run: Run) -> None:
    """A later success does not hide it."""
    done = run(**{part: "2"})
    assert done.returncode == 2
    assert done.stdout.splitlines()[-3:] == [*CLOSING, ON_A_NODE]


def test_ci_run_without_a_node_prints_the_reason_and_succeeds(run: Run) -> None:
    """Right before the closing lines."""
    done = run(PREPARED="77")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == [f"notice: what ships was NOT run on a real node: {CANNOT}", *CLOSING]


def test_ci_run_fails_if_the_node_cannot_be_prepared(run: Run) -> None:
    """Such as by sources that do not compile."""
    done = run(PREPARED="1")
    assert done.returncode == 1
    assert "notice: what ships was NOT run on a real node: preparing it failed" in done.stdout


def test_ci_run_continues_if_packages_cannot_be_installed(run: Run) -> None:
    """The preparation says what that means."""
    assert run(MISSING="runc", INSTALLED="100", PREPARED="77").returncode == 0


def test_ci_run_leaves_the_node_out_on_request(run: Run) -> None:
    """And that is printed, too."""
    done = run(E2E="no")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == ["notice: what ships was NOT run on a real node: E2E=no", *CLOSING]
