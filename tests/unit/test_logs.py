"""What programs write to their logs."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import structlog
from agentidp.runtime.logs import configure_logs

configure_logs("program", "debug", sys.argv[1])
log = structlog.get_logger()

def deliver(value):
    raise RuntimeError("a defect")

try:
    deliver("the-plain" + "text")
except RuntimeError:
    log.exception("reconciliation failed")
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(form: str) -> None:
    """Some renderers add all local variables to it, if the library for that happens to be installed."""
    result = subprocess.run([sys.executable, "-c", SCRIPT, form], capture_output=True, text=True, check=True)
    assert "RuntimeError: a defect" in result.stderr
    assert "the-plaintext" not in result.stderr
