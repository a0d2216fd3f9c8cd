"""A request ends where a proxy and a client see its end: nobody's request becomes a part of somebody else's."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from devcluster.programs import MANAGEMENT_API, Programs
from devcluster.proxies.reverse_proxies import go_proxy, nginx_program, nginx_proxy
from tests.support.echoing import Address
from tests.support.management import Api, access_token, an_agent, as_agent
from tests.support.smuggling import PAUSES, smuggle
from tests.support.tenants import Tenant
from tests.support.workload import Pair

END = "2999-01-01T00:00:00Z"
H2C = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"]
"""What Java's own client and `curl --http2` send over plain HTTP."""
PROXIES = [
    pytest.param(go_proxy, id="Go's ReverseProxy"),
    pytest.param(
        nginx_proxy,
        id="nginx",
        marks=pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed; .ci/run installs it"),
    ),
]
curl_speaks_http_2 = "HTTP2" in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False).stdout
needs_curl = pytest.mark.skipif(not curl_speaks_http_2, reason="curl is not installed, or without HTTP/2")


@pytest.fixture(scope="module")
def bearer(home: Tenant, all_programs: Programs) -> str:
    """Of an agent that may decommission others."""
    return access_token(home)


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, all_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """Keeps one connection to the management API, and lets all callers share it."""
    directory: Path = tmp_path_factory.mktemp("proxy")
    upstream = urlsplit(all_programs.url(MANAGEMENT_API.name)).netloc
    with request.param(upstream, directory) as port:
        yield "127.0.0.1", port


@pytest.mark.parametrize("upgrade", ["tls", "h2c", "websocket"])
def test_framing_hides_no_request_that_gets_the_next_callers_bearer(
    upgrade: str, proxy: Address, bearer: str, home: Tenant, all_programs: Programs
) -> None:
    """The caller's own request is answered, and the agent that was to be decommissioned is as it was."""
    agent_id = an_agent(home, f"target-{upgrade}-{proxy[1]}")
    with Api("http://{}:{}".format(*proxy), bearer) as caller, as_agent(all_programs, bearer) as direct:
        for pause in PAUSES * 3:
            answer = smuggle(proxy, "DELETE", f"/api/v1/agents/{agent_id}", upgrade, pause)
            assert answer.startswith(b"HTTP/1.1 4")
            told = caller.ask("GET", f"/agents/{agent_id}")
            assert (told.status_code, told.json()["agentId"]) == (HTTPStatus.OK, agent_id)
        assert direct.ask("GET", f"/agents/{agent_id}").json()["status"] == "active"


@needs_curl
def test_http_2_of_curl_creates_a_credential(bearer: str, agent_id: str, all_programs: Programs) -> None:
    """The body is that of the request that asks for the upgrade (RFC 9110, section 7.8)."""
    url = f"{all_programs.url(MANAGEMENT_API.name)}/api/v1/agents/{agent_id}/credentials"
    config = f'header = "Authorization: Bearer {bearer}"\nheader = "Content-Type: application/json"\n'
    assert f'"expiresAt":"{END.removesuffix("Z")}' in curl(url, f'{{"expiresAt":"{END}"}}', config)


@needs_curl
def test_http_2_of_curl_gets_a_token(pair: Pair) -> None:
    """As it does without."""
    config = f'user = "{pair.client_id}:{pair.client_secret}"\n'
    assert '"access_token"' in curl(pair.token_endpoint, "grant_type=client_credentials", config)


@pytest.mark.parametrize("apart", [False, True], ids=["head and body together", "head and body apart"])
def test_http_2_preference_gets_a_token(apart: bool, pair: Pair) -> None:
    """Byte for byte what Java's own client sends."""
    parts, body = urlsplit(pair.token_endpoint), f"grant_type=client_credentials&client_id={pair.client_id}"
    body += f"&client_secret={pair.client_secret}"
    lines = [f"POST {parts.path} HTTP/1.1", H2C[0], f"Content-Length: {len(body)}", f"Host: {parts.netloc}", H2C[2], H2C[1]]
    lines += ["User-Agent: Java-http-client/21", "Content-Type: application/x-www-form-urlencoded", "", ""]
    head = "\r\n".join(lines)
    with socket.create_connection((str(parts.hostname), parts.port or 80), 30) as connection:
        for piece in [head, body] if apart else [head + body]:
            connection.sendall(piece.encode())
        answer = b""
        while not answer.endswith(b"}") and (more := connection.recv(65_536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"access_token"' in answer


@pytest.mark.parametrize("megabytes", [1, 5])
def test_body_that_is_too_large_gets_its_answer(megabytes: int, pair: Pair, bearer: str, all_programs: Programs) -> None:
    """To every one of many clients, by both services."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    urls = [
        (pair.token_endpoint, form),
        (f"{all_programs.url(MANAGEMENT_API.name)}/api/v1/agents", {"Authorization": f"Bearer {bearer}"}),
    ]
    for url, headers in urls:
        answers = [httpx.post(url, content=b"x" * (megabytes * 1_000_000), headers=headers, timeout=60) for _ in range(20)]
        assert [answer.status_code for answer in answers] == [HTTPStatus.REQUEST_ENTITY_TOO_LARGE] * 20


@pytest.fixture(scope="module")
def pair(home: Tenant, all_programs: Programs) -> Pair:
    """Of another agent."""
    home.create("Agent", "client")
    home.create("AgentCredential", "client", agentRef={"name": "client"})
    home.until("AgentCredential", "Issued", "client")
    return home.pair("client")


def curl(url: str, body: str, config: str) -> str:
    """What it prints; secrets are not among its arguments."""
    command = [str(shutil.which("curl")), "--silent", "--show-error", "--http2", "--config", "-", "--data", body, url]
    return subprocess.run(command, input=config, capture_output=True, text=True, check=True, timeout=60).stdout
