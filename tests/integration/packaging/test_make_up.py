"""`make up` and `make down`: everything in the background, a shell file for people, and nothing left at the end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.programs import PROGRAMS
from tests.support.guides import steps_of
from tests.support.shell import typed

ROOT = Path(__file__).parents[3]
TRY_IT = """
set -e; . {env}
kubectl get namespace agentidp-system; kubectl agentidp status; helm list
test -n "$AGENTIDP_TOKEN_URL"; test -n "$AGENTIDP_API_URL"
"""


class Checkout:
    """Runs what the make targets run, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, command: str, *settings: str) -> subprocess.CompletedProcess[str]:
        """Run `up` or `down`."""
        line = [sys.executable, "-m", "devcluster", "--folder", str(self.folder), command, *settings]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    def processes(self) -> list[str]:
        """The command lines of everything that runs in the folder."""
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
        return [line for line in lines if str(self.folder) in line]

    def wait_until_nothing_runs(self) -> None:
        """Within a few seconds."""
        deadline = time.monotonic() + 10
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.1)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Nothing is up in it, before and after."""
    checkout = Checkout(tmp_path / ".dev")
    yield checkout
    checkout("down")


def test_up_twice_and_down(checkout: Checkout) -> None:
    """The second time says that it is up; `down` says so too, and leaves only logs."""
    first = checkout("up")
    assert first.returncode == 0, first.stderr
    subprocess.run(["sh", "-c", TRY_IT.format(env=checkout.folder / "env")], check=True)

    second = checkout("up")
    assert second.returncode == 0
    assert "is up already" in second.stdout

    logs = {log.stem for log in (checkout.folder / "log").glob("*.log")}
    assert logs >= {program.name for program in PROGRAMS} | {"kube-apiserver", "etcd", "kube-controller-manager"}

    assert "AgentIdP is down." in checkout("down").stdout
    assert checkout.processes() == []
    assert not (checkout.folder / "env").exists()
    assert "is not up" in checkout("down").stdout


def test_the_commands_of_a_guide_run_as_they_are(checkout: Checkout, tmp_path: Path) -> None:
    """With what the shell file sets and nothing else: a credential's life over HTTP, from its first to its last day."""
    up = checkout("up")
    assert up.returncode == 0, up.stderr
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    text = "\n".join([f". {checkout.folder / 'env'}", *steps_of("manage-credentials")])
    said = typed(text, tmp_path, tmp_path)
    generated, rotated, after_a_leak = re.findall(r'"credentialId":"([^"]+)".*?"clientSecret":"([^"]+)"', said)
    assert generated[0] == rotated[0] == after_a_leak[0]
    assert len({generated[1], rotated[1], after_a_leak[1]}) == 3


def test_what_a_crash_left_is_no_obstacle(checkout: Checkout) -> None:
    """The supervisor is killed with -9: everything ends with it, and `up` starts afresh."""
    assert checkout("up").returncode == 0
    os.kill(int((checkout.folder / "supervisor.lock").read_text()), signal.SIGKILL)
    checkout.wait_until_nothing_runs()
    again = checkout("up")
    assert again.returncode == 0, again.stderr
    assert "already" not in again.stdout


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("AGENTIDP_LOG_LEVEL=loud", "AGENTIDP_LOG_LEVEL='loud' is not valid"),
        ("AGENTIDP_LOG_LEVLE=debug", "no program reads AGENTIDP_LOG_LEVLE"),
    ],
)
def test_a_bad_setting_is_refused_with_the_reason(setting: str, reason: str, checkout: Checkout) -> None:
    """And nothing keeps running."""
    refused = checkout("up", setting)
    assert refused.returncode == 1
    assert reason in refused.stderr
    checkout.wait_until_nothing_runs()
