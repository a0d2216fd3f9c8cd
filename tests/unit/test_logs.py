"""What programs write to their logs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devcluster.chart import CHART
from tests.support.guides import RUNBOOKS

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


GUIDANCE = (CHART / "files" / "alerts.yaml", RUNBOOKS)
"""What tells people to search the logs."""


@pytest.mark.parametrize("path", GUIDANCE, ids=lambda path: path.name)
def test_what_people_are_told_to_search_for_finds_an_error(path: Path) -> None:
    """JSON may be written with spaces or without; `grep` knows one of them."""
    (line,) = (one for one in log_of("json").splitlines() if "reconciliation failed" in one)
    patterns = re.findall(r"""grep (?:-E )?'("level": [^']+)'""", path.read_text())
    assert patterns
    assert all(re.search(pattern, line) for pattern in patterns)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(form: str) -> None:
    """Some renderers add all local variables to it, if the library for that happens to be installed."""
    written = log_of(form)
    assert "RuntimeError: a defect" in written
    assert "the-plaintext" not in written


def log_of(form: str) -> str:
    """What a program writes that fails."""
    result = subprocess.run([sys.executable, "-c", SCRIPT, form], capture_output=True, text=True, check=True)
    return result.stderr
