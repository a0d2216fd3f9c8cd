"""How `.ci/run` ends, and what it prints last, where a part fails or cannot run. All that it calls is a stand-in."""

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


def test_the_closing_lines_of_all_tests_come_last(run: Run) -> None:
    """In their order."""
    done = run()
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == [*CLOSING, ON_A_NODE]
    assert "notice" not in done.stdout


@pytest.mark.parametrize("part", ["CHECK", "TESTS", "ON_A_NODE"])
def test_whichever_part_fails_the_others_run_and_the_script_fails(part: str, run: Run) -> None:
    """A later success does not hide it."""
    done = run(**{part: "2"})
    assert done.returncode == 2
    assert done.stdout.splitlines()[-3:] == [*CLOSING, ON_A_NODE]


def test_where_no_node_can_run_the_reason_is_printed_and_nothing_fails(run: Run) -> None:
    """Right before the closing lines."""
    done = run(PREPARED="77")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == [f"notice: what ships was NOT run on a real node: {CANNOT}", *CLOSING]


def test_a_node_that_could_run_and_cannot_be_prepared_is_a_failure(run: Run) -> None:
    """Such as by sources that do not compile."""
    done = run(PREPARED="1")
    assert done.returncode == 1
    assert "notice: what ships was NOT run on a real node: preparing it failed" in done.stdout


def test_packages_that_cannot_be_installed_are_no_failure_of_their_own(run: Run) -> None:
    """The preparation says what that means."""
    assert run(MISSING="runc", INSTALLED="100", PREPARED="77").returncode == 0


def test_the_node_is_left_out_where_somebody_says_so(run: Run) -> None:
    """And that is printed, too."""
    done = run(E2E="no")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == ["notice: what ships was NOT run on a real node: E2E=no", *CLOSING]
