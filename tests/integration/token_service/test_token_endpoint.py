"""What hostile and broken clients get from the real server: the RFC's error, never a 500, and everybody else is served."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from devcluster.programs import OPERATOR, TOKEN_SERVICE, Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import GRANT, Pair, is_refused, is_served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_UTF8 = "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()


@pytest.fixture(scope="module")
def pair(programs: Programs, objects: Objects) -> Pair:
    """A pair that works."""
    tenant = Tenant.new(objects)
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return pair


@pytest.fixture(autouse=True)
def same_process_that_serves(programs: Programs, pair: Pair) -> Iterator[None]:
    """Whatever a test sends, the process lives, and serves the next client at once."""
    before = programs.process(TOKEN_SERVICE.name).pid
    yield
    eventually("it is served", lambda: is_served(pair))
    assert programs.process(TOKEN_SERVICE.name).pid == before
    assert "Traceback" not in programs.log(TOKEN_SERVICE.name).read_text()


REQUESTS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "a wrong secret": (401, "invalid_client", {"auth": ("{client_id}", "sk_live_" + "0" * 32)}),
    "an unknown client": (401, "invalid_client", {"auth": ("00000000-0000-4000-8000-000000000000", "{secret}")}),
    "a missing parameter": (400, "invalid_request", {"data": {"scope": "a"}}),
    "a doubled parameter": (
        400,
        "invalid_request",
        {"content": "grant_type=client_credentials&scope=a&scope=a", "headers": FORM},
    ),
    "the wrong content type": (400, "invalid_request", {"json": GRANT}),
    "a body of one megabyte": (413, "invalid_request", {"data": GRANT | {"scope": "x" * 2**20}}),
    "a secret of a thousand bytes": (401, "invalid_client", {"auth": ("{client_id}", "x" * 1000)}),
    "a form of very many parameters": (400, "invalid_request", {"content": "%41&" * 4096, "headers": FORM}),
    "an Authorization header of 60,000 bytes": (400, "invalid_request", {"headers": {"Authorization": "x" * 60_000}}),
    "a Basic header that is longer than any secret": (401, "invalid_client", {"auth": ("{client_id}", "x" * 10_000)}),
    "a Basic header that is not UTF-8": (401, "invalid_client", {"headers": {"Authorization": NOT_UTF8}}),
}


@pytest.mark.parametrize(("status", "error", "request_"), REQUESTS.values(), ids=REQUESTS)
def test_a_bad_request_gets_the_error_of_the_rfc(
    programs: Programs, pair: Pair, status: int, error: str, request_: dict[str, Any]
) -> None:
    """RFC 6749, section 5.2."""
    known = {"{client_id}": pair.client_id, "{secret}": pair.client_secret}
    auth = tuple(known.get(part, part) for part in request_.get("auth", ()))
    body = {} if {"content", "json"} & request_.keys() else {"data": GRANT}
    options = body | request_ | ({"auth": auth} if auth else {})
    answer = httpx.post(f"{programs.token_url}/api/v1/token", timeout=30, **options)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("www-authenticate", "").startswith("Basic ") == (status == 401)


@contextmanager
def connection(programs: Programs) -> Iterator[socket.socket]:
    """A connection below HTTP."""
    address = urlsplit(programs.token_url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as connected:
        yield connected


def answer_to(programs: Programs, *pieces: bytes) -> tuple[int, bytes]:
    """Status and body of what is answered to these bytes."""
    with connection(programs) as connected:
        for piece in pieces:
            connected.sendall(piece)
        response = connected.makefile("rb")
        status = int(response.readline().split()[1])
        length = 0
        while (line := response.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, response.read(length)


HEAD = b"POST /token HTTP/1.1\r\nHost: idp\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def test_a_chunked_body_without_end_is_refused_at_the_limit(programs: Programs) -> None:
    """It announces no length, so it is counted."""
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    status, body = answer_to(programs, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 5)
    assert (status, json.loads(body)["error"]) == (413, "invalid_request")


def test_a_body_that_comes_in_pieces_is_read(programs: Programs, pair: Pair) -> None:
    """As a slow network sends it."""
    body = f"grant_type=client_credentials&client_id={pair.client_id}&client_secret={pair.client_secret}".encode()
    pieces = [body[start : start + 10] for start in range(0, len(body), 10)]
    status, answer = answer_to(programs, HEAD + b"Content-Length: %d\r\n\r\n" % len(body), *pieces)
    assert (status, json.loads(answer)["token_type"]) == (200, "Bearer")


def test_a_client_that_waits_for_permission_gets_it(programs: Programs, pair: Pair) -> None:
    """`Expect: 100-continue`, as curl sends it with larger bodies."""
    body = f"grant_type=client_credentials&client_id={pair.client_id}&client_secret={pair.client_secret}".encode()
    with connection(programs) as connected:
        connected.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connected.recv(100).startswith(b"HTTP/1.1 100")
        connected.sendall(body)
        assert connected.recv(100).startswith(b"HTTP/1.1 200")


def test_what_is_not_http_is_refused(programs: Programs) -> None:
    """By the server itself."""
    assert answer_to(programs, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")[0] == 400


def test_requests_that_are_sent_without_end_take_bounded_memory(programs: Programs, pair: Pair) -> None:
    """Nobody waits for them either: few of them wait for their turn, and the rest is not read."""
    pid = programs.process(TOKEN_SERVICE.name).pid
    before = resident_bytes(pid)
    with connection(programs) as connected, sending(connected, b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * 1_000_000):
        for _ in range(100):
            connected.recv(1_000_000)
            began = time.monotonic()
            assert is_served(pair)
            assert time.monotonic() - began < 5
        assert resident_bytes(pid) - before < 16 * 1024 * 1024


@contextmanager
def sending(connected: socket.socket, data: bytes) -> Iterator[None]:
    """While this is sent; what the other side has not taken in the end is not."""

    def send() -> None:
        with suppress(OSError):
            connected.sendall(data)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        connected.shutdown(socket.SHUT_RDWR)
        sender.join()


def test_strangers_write_nothing_to_the_log(programs: Programs) -> None:
    """However much of what is no HTTP they send."""
    before = told_by_the_server(programs)
    for wrong in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: idp\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"):
        answer_to(programs, wrong)
    assert told_by_the_server(programs) == before != []


def told_by_the_server(programs: Programs) -> list[str]:
    """What the log holds of uvicorn."""
    return [line for line in programs.log(TOKEN_SERVICE.name).read_text().splitlines() if "uvicorn" in line]


def resident_bytes(pid: int) -> int:
    """What a process has in memory."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def test_clients_that_go_away_in_the_middle_harm_nobody(programs: Programs) -> None:
    """With or without a goodbye."""
    for _ in range(50):
        with connection(programs) as connected:
            connected.sendall(HEAD + b"Content-Length: 100\r\n\r\ngrant_type=")


def test_what_the_spec_says_holds_while_the_operator_is_away(programs: Programs, objects: Objects) -> None:
    """Suspended, revoked and expired: the status does not know it, the token service does."""
    suspended, revoked, expired = tenants = [Tenant.new(objects) for _ in range(3)]
    pairs = [tenant.issue() for tenant in tenants]
    eventually("they are served", lambda: all(map(is_served, pairs)))
    programs.stop(OPERATOR.name)
    suspended.change("Agent", state="Suspended")
    revoked.change("AgentCredential", state="Revoked")
    expired.change("AgentCredential", expiresAt="2026-01-01T00:00:00Z")
    eventually("they are refused", lambda: all(map(is_refused, pairs)))
    assert {tenant.get("AgentCredential")["status"]["phase"] for tenant in tenants} == {"Active"}
    programs.start(OPERATOR.name)
    revoked.until("AgentCredential", "CredentialRevoked")
