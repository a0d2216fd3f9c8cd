"""What `helm test` runs in a pod, run here against a real token service."""

import subprocess
import sys

from devcluster.chart import CHART
from devcluster.programs import Programs

SCRIPT = CHART / "files" / "helm_test.py"


def test_it_passes_where_tokens_can_be_checked(programs: Programs) -> None:
    """The metadata names the issuer, and a key is published."""
    assert run(programs.token_url, programs.token_url) == (0, "")


def test_it_tells_of_another_issuer(programs: Programs) -> None:
    """As after a change of `issuer` that did not reach the pods."""
    status, said = run(programs.token_url, "https://idp.example.com")
    assert status == 1
    assert "not https://idp.example.com" in said


def run(url: str, issuer: str) -> tuple[int, str]:
    """As the pod does: the script is given to `python -c`."""
    done = subprocess.run([sys.executable, "-c", SCRIPT.read_text(), url, issuer], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip()
