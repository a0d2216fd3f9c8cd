"""What all requests to the management API have in common: one form of refusals, bounds, request ids, limits, documentation."""

import json
import re
import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from devcluster.ports import ReservedPort
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.management import Api
from tests.support.refusals import refused
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def anybody(all_programs: Programs) -> Iterator[Api]:
    """Somebody without a token."""
    with Api(all_programs.url(MANAGEMENT_API.name), None) as api:
        yield api


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/../nothing", "/agents/", "/agents/x/y", "/agents/x/credentials/y", "/docs/assets/nothing"]
)
def test_path_that_is_unknown(path: str, api: Api) -> None:
    """404 or, where there are other methods, 405; never the framework's own words."""
    answer = api.ask("GET", path)
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        refused(answer, HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED")
    else:
        refused(answer, HTTPStatus.NOT_FOUND, "NOT_FOUND")


def test_method_that_a_path_does_not_have(api: Api) -> None:
    """405 with those that there are."""
    for path, methods in (
        ("/agents", "GET, HEAD, POST"),
        ("/agents/x", "DELETE, GET, HEAD, PATCH"),
        ("/agents/x/credentials", "GET, HEAD, POST"),
    ):
        answer = api.ask("PUT", path, json={})
        refused(answer, HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == methods


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "not announced"])
def test_body_that_is_too_large(announced: bool, api: Api) -> None:
    """413, whether it says so or not."""
    text = json.dumps({"email": "x" * 20_000}).encode()
    answer = api.ask(
        "POST", "/agents", content=text if announced else iter([text]), headers={"Content-Type": "application/json"}
    )
    refused(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json", ""]
)
def test_body_that_is_not_json(content_type: str, api: Api) -> None:
    """415."""
    answer = api.ask("POST", "/agents", content=b"email=x", headers={"Content-Type": content_type})
    refused(answer, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("text", [b"{", b"\xff", b'"text"', b"[" * 8000, b'{"email": "\\ud800"}'])
def test_body_that_is_malformed_json(text: bytes, api: Api) -> None:
    """400."""
    answer = api.ask("POST", "/agents", content=text, headers={"Content-Type": "application/json"})
    refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")


BAD_HEADERS = {
    "none": {},
    "another scheme": {"Authorization": "Basic c2NyZWVuZXI6c2VjcmV0"},
    "no token": {"Authorization": "Bearer"},
    "a token of nobody": {"Authorization": "Bearer of-nobody"},
    "a JWT of nobody": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9."},
    "a client secret": {"Authorization": "Bearer sk_live_0123456789abcdef0123456789abcdef"},
    "a very long one": {"Authorization": "Bearer " + "x" * 20_000},
}


@pytest.mark.parametrize("what", BAD_HEADERS)
def test_bearer_that_is_missing_or_malformed(what: str, anybody: Api) -> None:
    """401, the same for all, with the way to authenticate."""
    answer = anybody.ask("GET", "/agents", headers=BAD_HEADERS[what])
    refused(answer, HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_request_id(api: Api) -> None:
    """The caller's own where it can be logged, else a new one; in the log, too."""
    assert api.ask("GET", "/agents", headers={"X-Request-Id": "mine.1"}).headers["x-request-id"] == "mine.1"
    for odd in ("x" * 65, "two words", 'a"quote'):
        assert re.fullmatch(r"[0-9a-f]{32}", api.ask("GET", "/agents", headers={"X-Request-Id": odd}).headers["x-request-id"])


def test_change_is_in_the_log(api: Api, agent_id: str, all_programs: Programs) -> None:
    """Who, what, with which outcome; never a secret."""
    answer = api.ask("POST", f"/agents/{agent_id}/credentials", json={}, headers={"X-Request-Id": "a-logged-change"})
    log = eventually("it is told", all_programs.log(MANAGEMENT_API.name).read_text, lambda text: "a-logged-change" in text)
    (line,) = (json.loads(one) for one in log.splitlines() if "a-logged-change" in one)
    assert line["caller"].startswith("agent:")
    assert (line["method"], line["status"], line["agentId"]) == ("POST", 201, agent_id)
    assert line["route"] == "/api/v1/agents/{agentId}/credentials"
    assert answer.json()["clientSecret"] not in log


def test_swagger_ui_needs_nothing_from_elsewhere(anybody: Api) -> None:
    """The page, and everything that it loads, come from here; a browser is told to load nothing else."""
    page = anybody.ask("GET", "/docs", follow_redirects=True)
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert "//" not in page.text.replace("<!DOCTYPE", "")
    for part in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = httpx.get(str(page.url.join(part)))
        assert answer.status_code == HTTPStatus.OK, part
        assert len(answer.content) > 50
    assert anybody.ask("GET", "/openapi.json").json()["info"]["title"] == "AgentIdP management API"


def test_probes_and_metrics(all_programs: Programs) -> None:
    """Ready with nothing missing; requests are counted by route."""
    url = all_programs.url(MANAGEMENT_API.name)
    assert httpx.get(f"{url}/healthz").text == "ok\n"
    assert httpx.get(f"{url}/readyz").json() == {"ready": True, "missing": []}
    metrics = httpx.get(f"{url}/metrics").text
    assert 'agentidp_management_requests_total{method="GET",route="/readyz",status="200"}' in metrics


def test_metrics_have_an_address_of_their_own(all_programs: Programs) -> None:
    """The same, on another port."""
    url, port = all_programs.url(MANAGEMENT_API.name), ReservedPort()
    all_programs.restart(MANAGEMENT_API.name, {"AGENTIDP_METRICS_LISTEN": f"127.0.0.1:{port.number}"})
    try:
        apart = f"http://127.0.0.1:{port.number}"
        assert httpx.get(f"{url}/metrics").status_code == HTTPStatus.NOT_FOUND
        assert "agentidp_management_requests_total" in httpx.get(f"{apart}/metrics").text
        assert httpx.get(f"{apart}/readyz").status_code == HTTPStatus.NOT_FOUND
    finally:
        all_programs.restart(MANAGEMENT_API.name)
        port.release()


def test_rate_limit_of_a_caller(api: Api, all_programs: Programs) -> None:
    """429, and when to come back; others do not notice."""
    settings = {"AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0.5", "AGENTIDP_CALLER_BURST": "3"}
    all_programs.restart(MANAGEMENT_API.name, settings)
    try:
        answers = [api.ask("GET", "/agents") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        refused(answers[3], HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED")
        headers = answers[3].headers
        assert 1 <= int(headers["retry-after"]) <= 2
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("3", "0")
        assert abs(int(headers["x-ratelimit-reset"]) - time.time()) < 60
        refused(api.ask("GET", "/agents", headers={"Authorization": "Bearer x"}), HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
    finally:
        all_programs.restart(MANAGEMENT_API.name)
