"""Which methods the three HTTP servers take: HEAD wherever GET is, and 405 with `Allow` for what a path does not have.

The paths are those of the applications themselves, so a new one is tested without being listed here.
"""

from collections.abc import Iterable, Iterator

import httpx
import pytest
from starlette.routing import BaseRoute

from devcluster.cluster import ControlPlane
from devcluster.programs import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE, Programs
from management_api.endpoints import agents, credentials
from management_api.endpoints import api_docs as documentation
from tests.support.management import an_agent, service_account_token
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.token_services import ServedAlone

PROBES = ["/healthz", "/readyz", "/metrics"]
ASSET = "/api/v1/docs/assets/swagger-ui.css"
DIFFERS = {"date", "x-request-id"}
"""Headers of which no two answers have the same."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def paths_with_get(routes: Iterable[BaseRoute]) -> list[str]:
    """Of those that are declared."""
    return sorted({route.path for route in routes if "GET" in (getattr(route, "methods", None) or ())})  # type: ignore[attr-defined]


PATHS = {
    TOKEN_SERVICE.name: paths_with_get(ServedAlone().app.routes),
    MANAGEMENT_API.name: [
        *paths_with_get([*agents.router.routes, *credentials.router.routes, *documentation.router.routes]),
        *PROBES,
        ASSET,
        "/api/v1/openapi.json",
    ],
    OPERATOR.name: PROBES,
}
EACH = [(program, path) for program, paths in PATHS.items() for path in paths]


@pytest.fixture(scope="module")
def agent_id(objects: Objects, all_programs: Programs) -> str:
    """One that the caller may read."""
    return an_agent(Tenant.new(objects))


@pytest.fixture(scope="module")
def http(agent_id: str, cluster: ControlPlane) -> Iterator[httpx.Client]:
    """Somebody who may read agents."""
    bearer = service_account_token(cluster, "default", "methods")
    cluster.kubectl("create", "clusterrolebinding", "methods", "--clusterrole=view", "--serviceaccount=default:methods")
    with httpx.Client(headers={"Authorization": f"Bearer {bearer}"}) as http:
        yield http
    cluster.kubectl("delete", "clusterrolebinding/methods")
    cluster.kubectl("delete", "serviceaccount/methods", "--namespace=default")


def url_of(programs: Programs, program: str, path: str, agent_id: str) -> str:
    """An address of the path."""
    return programs.url(program) + path.replace("{agentId}", agent_id)


@pytest.mark.parametrize(("program", "path"), EACH)
def test_head_is_answered_as_get_without_the_body(
    program: str, path: str, http: httpx.Client, all_programs: Programs, agent_id: str
) -> None:
    """RFC 9110, section 9.3.2; and section 9.1: every general-purpose server supports GET and HEAD."""
    url = url_of(all_programs, program, path, agent_id)
    get, head = http.get(url), http.head(url)
    assert head.status_code == get.status_code
    assert head.content == b""
    differs = DIFFERS | ({"content-length"} if path == "/metrics" else set())
    assert told(head, differs) == told(get, differs)
    assert "content-length" in head.headers
    if "{agentId}" in path or path.startswith("/.well-known"):
        assert get.status_code == httpx.codes.OK


def told(answer: httpx.Response, without: set[str]) -> dict[str, str]:
    """Its headers, but for those that differ by nature."""
    return {name: value for name, value in answer.headers.items() if name not in without}


@pytest.mark.parametrize(("program", "path"), EACH)
def test_a_method_that_a_path_does_not_have_is_told_those_that_it_has(
    program: str, path: str, http: httpx.Client, all_programs: Programs, agent_id: str
) -> None:
    """405 with `Allow` (RFC 9110, section 15.5.6), which names exactly the methods that are not answered so."""
    url = url_of(all_programs, program, path, agent_id)
    answers = {method: http.request(method, url) for method in METHODS}
    refused = {method for method, answer in answers.items() if answer.status_code == httpx.codes.METHOD_NOT_ALLOWED}
    assert {"GET", "HEAD"}.isdisjoint(refused)
    assert refused
    for method in refused:
        allowed = {one.strip() for one in answers[method].headers["allow"].split(",")}
        assert allowed & set(METHODS) == set(METHODS) - refused


def test_the_paths_of_forms_are_not_read(http: httpx.Client, all_programs: Programs) -> None:
    """GET and HEAD of the token endpoint are refused alike (RFC 6749, section 3.2: the client uses POST)."""
    url = f"{all_programs.token_url}/api/v1/token"
    for method in ("GET", "HEAD"):
        answer = http.request(method, url)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
