"""The console script: its exit statuses, and what an error prints."""

import subprocess
import sys
from pathlib import Path

PLUGIN = Path(sys.executable).parent / "kubectl-agentidp"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the console script in a process of its own."""
    return subprocess.run([PLUGIN, *arguments], capture_output=True, text=True, check=False)


def test_console_script_prints_an_error_with_advice_and_ends_with_1(tmp_path: Path) -> None:
    """The problem and the advice are one line each, on standard error."""
    done = run("status", "--kubeconfig", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: there is no kubeconfig at {tmp_path / 'none'}.\nSet KUBECONFIG, or name a file with --kubeconfig.\n"
    )


def test_console_script_ends_with_2_for_an_invalid_command_line() -> None:
    """As kubectl's other plugins and argparse do."""
    assert run("rotate").returncode == 2


def test_console_script_ends_quietly_when_its_reader_has_gone() -> None:
    """`kubectl agentidp --help | head -1` prints no traceback."""
    script = f"{PLUGIN} --help | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
