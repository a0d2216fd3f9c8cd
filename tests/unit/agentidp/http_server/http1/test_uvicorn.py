"""What of uvicorn and httptools our protocol is made of. It fails where a new version moves that."""

import inspect
import re
import tomllib
from importlib.metadata import version

import httptools
import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from agentidp.http_server.http1.protocol import BoundedProtocol
from tests.support.crd_schema import CHECKOUT

MOVED = "uvicorn has moved what agentidp/http_server/http1/protocol.py builds on: compare its httptools_impl.py"
CALLED = {
    "__init__": "config server_state app_state _loop",
    "connection_made": "transport",
    "connection_lost": "exc",
    "data_received": "data",
    "on_message_begin": "",
    "on_header": "name value",
    "on_headers_complete": "",
    "on_message_complete": "",
    "on_response_complete": "",
    "_start_asgi_task": "cycle app",
    "_unset_keepalive_if_required": "",
}
USED = {
    "on_message_begin": ["self.headers = []", "self.expect_100_continue = False"],
    "on_response_complete": ["self.pipeline.pop()", "self.flow.resume_reading()"],
    "on_message_complete": ["self.cycle.more_body = False"],
    "connection_lost": ["self.cycle.disconnected = True", "self.cycle.message_event.set()"],
}
OF_A_CYCLE = [
    "self.transport.close()",
    "self.on_response()",
    "if not self.keep_alive:",
    "if self.disconnected:",
    "self.transport.write(",
]


@pytest.mark.parametrize("package", ["uvicorn", "httptools"])
def test_uvicorn_version_is_capped(package: str) -> None:
    """It is capped, since a minor version may move what is not part of an interface."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    (requirement,) = [one for one in project["dependencies"] if one.startswith(package + ">")]
    cap = re.search(r"<([\d.]+)", requirement)
    assert cap, f"{package} has no upper bound in pyproject.toml"
    assert _numbers(version(package)) < _numbers(cap[1]), MOVED


@pytest.mark.parametrize("method", CALLED)
def test_uvicorn_has_the_overridden_methods(method: str) -> None:
    """Else our method would be one that nobody calls."""
    arguments = list(inspect.signature(getattr(HttpToolsProtocol, method)).parameters)[1:]
    assert " ".join(arguments) == CALLED[method], MOVED


@pytest.mark.parametrize("method", USED)
def test_uvicorn_changes_the_state_that_is_relied_on(method: str) -> None:
    """The state that our protocol reads and writes."""
    source = inspect.getsource(getattr(HttpToolsProtocol, method))
    assert [part for part in USED[method] if part not in source] == [], MOVED


def test_uvicorn_cycle_writes_and_closes_by_its_transport() -> None:
    """Which is ours, so that it lingers."""
    source = inspect.getsource(RequestResponseCycle.send)
    assert [part for part in OF_A_CYCLE if part not in source] == [], MOVED
    assert STATUS_LINE[400].startswith(b"HTTP/1.1 400 "), MOVED
    assert {"read_paused", "write_paused"} <= set(vars(FlowControl(None))), MOVED  # type: ignore[arg-type]


def test_uvicorn_parser_stops_at_an_upgrade() -> None:
    """That is why the head is given to another one."""
    parser = httptools.HttpRequestParser(object())
    head = b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n"
    with pytest.raises(httptools.HttpParserUpgrade) as stopped:
        parser.feed_data(head + b"abc")
    assert stopped.value.args == (len(head),), MOVED


def test_uvicorn_protocol_is_the_base_of_ours() -> None:
    """A server of ours never falls back on one without these bounds."""
    assert issubclass(BoundedProtocol, HttpToolsProtocol)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
