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


SERVING = r"""
import asyncio
import socket
import sys

from agentidp.runtime.logs import configure_logs
from agentidp.http_server.server import event_loop, server_for

NO_HTTP = b"\x16\x03\x01\r\n\r\n"
UPGRADE = b"GET /quiet HTTP/1.1\r\nHost: here\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
DEFECT = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"

async def app(scope, receive, send):
    if scope["path"] != "/quiet":
        raise RuntimeError("a defect")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})

async def serve():
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_for(app)
    serving = asyncio.create_task(server.serve([listening]))
    for request in (NO_HTTP, UPGRADE, DEFECT):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(request)
        assert (await reader.read()).startswith(b"HTTP/1.1")
        writer.close()
    server.should_exit = True
    await serving

configure_logs("program", "debug", sys.argv[1])
with asyncio.Runner(loop_factory=event_loop()) as runner:
    runner.run(serve())
"""

GUIDANCE = (CHART / "files" / "alerts.yaml", RUNBOOKS)
"""What tells people to search the logs."""


@pytest.mark.parametrize("path", GUIDANCE, ids=lambda path: path.name)
def test_logs_are_found_by_the_searches_of_runbooks(path: Path) -> None:
    """JSON may be written with spaces or without; `grep` knows one of them."""
    (line,) = (one for one in log_of(SCRIPT, "json").splitlines() if "reconciliation failed" in one)
    patterns = re.findall(r"""grep (?:-E )?'("level": [^']+)'""", path.read_text())
    assert patterns
    assert all(re.search(pattern, line) for pattern in patterns)


@pytest.mark.parametrize("form", ["json", "console"])
def test_logs_have_tracebacks_without_values(form: str) -> None:
    """Some renderers add all local variables to it, if the library for that happens to be installed."""
    written = log_of(SCRIPT, form)
    assert "RuntimeError: a defect" in written
    assert "the-plaintext" not in written


@pytest.mark.parametrize("form", ["json", "console"])
def test_logs_have_no_line_for_what_is_no_http(form: str) -> None:
    """Of what is no HTTP nothing is written, at no level; a server's start, its end and its defects are."""
    written = log_of(SERVING, form)
    assert "warning" not in written
    assert all(one in written for one in ("Started server process", "Finished server process", "RuntimeError: a defect"))


def log_of(script: str, form: str) -> str:
    """What a program writes."""
    result = subprocess.run([sys.executable, "-c", script, form], capture_output=True, text=True, check=True)
    return result.stderr
