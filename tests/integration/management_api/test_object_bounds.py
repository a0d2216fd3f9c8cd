"""What a caller may leave behind is bounded, whatever it asks for in a loop (decision 36).

Counted is what the API server has: objects, and versions of them, which are writes. Each call of the management API and of the
token service that changes anything has a row; a test holds that none is left out.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.management import (
    AN_AGENT,
    BASE,
    Api,
    access_token,
    allow,
    an_agent,
    as_agent,
    service_account_token,
)
from tests.support.objects import Objects
from tests.support.refusals import refused
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, ask, token

CALLS = 200
OBJECTS, KEPT, WRITES = 40, 5, 20
SETTINGS = {
    "AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0",
    "AGENTIDP_NAMESPACE_WRITES_PER_SECOND": "0",
    "AGENTIDP_OBJECTS_PER_NAMESPACE": f"{OBJECTS}",
    "AGENTIDP_ENDED_RECORDS_KEPT": f"{KEPT}",
}
NO_MORE_WRITES = {"AGENTIDP_NAMESPACE_WRITES_PER_SECOND": "0.0001", "AGENTIDP_NAMESPACE_WRITE_BURST": f"{WRITES}"}
MUTATING = {"post", "put", "patch", "delete"}
AGENT = "/api/v1/agents/{agentId}"
REVOCATIONS_AT_ONCE = 100
BYTES_OF_AN_OBJECT = 10_000


@dataclass(frozen=True)
class World:
    """A caller with both scopes, another agent of its namespace, and the caller's own pair."""

    home: Tenant
    api: Api
    agent_id: str
    pair: Pair

    def objects(self) -> int:
        """How many agents and credentials its namespace has."""
        return len(self.home.objects.list("Agent", self.home.namespace)) + len(self.credentials())

    def credentials(self) -> list[object]:
        """Of its namespace."""
        return [*self.home.objects.list("AgentCredential", self.home.namespace)]

    def credential(self) -> str:
        """The id of a new credential of its agent, or of an older one where it may have no more."""
        answer = self.api.generate(self.agent_id)
        if answer.status_code == HTTPStatus.CREATED:
            return str(answer.json()["credentialId"])
        return str(self.api.credentials(self.agent_id).json()["data"][0]["credentialId"])


Loop = Callable[[World], None]


def register(world: World) -> None:
    """One agent more."""
    world.api.ask("POST", "/agents", json=AN_AGENT)


def change(world: World) -> None:
    """To and fro."""
    world.api.ask("PATCH", f"/agents/{world.agent_id}", json={"version": f"1.0.{time.time_ns()}"})


def decommission(world: World) -> None:
    """A new agent each time."""
    answer = world.api.ask("POST", "/agents", json=AN_AGENT)
    if answer.status_code == HTTPStatus.CREATED:
        world.api.ask("DELETE", f"/agents/{answer.json()['agentId']}")


def generate(world: World) -> None:
    """One credential more."""
    world.api.generate(world.agent_id)


def rotate(world: World) -> None:
    """The same credential over and over."""
    found = world.api.credentials(world.agent_id, status="active").json()["data"]
    world.api.rotate(world.agent_id, found[0]["credentialId"] if found else world.credential())


def revoke(world: World) -> None:
    """A new credential each time."""
    world.api.revoke(world.agent_id, world.credential())


def get_token(world: World) -> None:
    """Nothing is written for it."""
    ask(world.pair)


def introspect(world: World) -> None:
    """Nothing is written for it."""
    post(world, "introspect", "nothing")


def revoke_token(world: World) -> None:
    """A new token each time."""
    post(world, "revoke", token(world.pair))


def post(world: World, endpoint: str, of: str) -> httpx.Response:
    """As the client."""
    auth = (world.pair.client_id, world.pair.client_secret)
    return httpx.post(f"{world.pair.token_endpoint}/{endpoint}", auth=auth, data={"token": of}, timeout=30)


ROWS: dict[str, tuple[Loop, int]] = {
    "POST /api/v1/agents": (register, OBJECTS),
    f"PATCH {AGENT}": (change, 0),
    f"DELETE {AGENT}": (decommission, KEPT),
    f"POST {AGENT}/credentials": (generate, OBJECTS),
    f"POST {AGENT}/credentials/{{credentialId}}/rotate": (rotate, 1),
    f"DELETE {AGENT}/credentials/{{credentialId}}": (revoke, KEPT),
    "POST /api/v1/token": (get_token, 0),
    "POST /api/v1/token/introspect": (introspect, 0),
    "POST /api/v1/token/revoke": (revoke_token, 0),
}
"""For each call: what is done in a loop, and how many objects more a namespace may have in the end; OBJECTS bounds all."""


@pytest.fixture(scope="module")
def bounded(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """All programs, with small bounds."""
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), SETTINGS) as programs:
        yield programs


@pytest.fixture
def world(objects: Objects, bounded: Programs) -> Iterator[World]:
    """In a new namespace."""
    home = Tenant.new(objects)
    bearer = access_token(home)
    with as_agent(bounded, bearer) as api:
        yield World(home, api, an_agent(home), home.pair("caller"))


def test_table_has_a_row_for_each_call_that_writes(bounded: Programs) -> None:
    """Of both programs' OpenAPI documents; the token service answers its calls without the base path, too."""
    documents = (bounded.url(MANAGEMENT_API.name) + BASE + "/openapi.json", f"{bounded.token_url}/openapi.json")
    calls = set[str]()
    for document in documents:
        for path, methods in httpx.get(document).json()["paths"].items():
            calls |= {f"{method.upper()} {BASE}{path.removeprefix(BASE)}" for method in methods.keys() & MUTATING}
    assert calls == ROWS.keys()


@pytest.mark.parametrize("call", ROWS)
def test_loop_of_calls_leaves_a_bounded_number_of_objects(call: str, world: World) -> None:
    """Not one that grows with the number of calls. The kept records are those that manage-credentials.md promises."""
    loop, bound = ROWS[call]
    before, begun = world.objects(), time.monotonic()
    for _ in range(CALLS):
        loop(world)
    most = OBJECTS if bound == OBJECTS else before + bound
    eventually(f"at most {most} objects are left", world.objects, lambda left: left <= most)
    revoked = [
        one for one in world.home.objects.list("TokenRevocation", NAMESPACE) if one["spec"]["clientId"] == world.pair.client_id
    ]
    assert len(revoked) <= REVOCATIONS_AT_ONCE + time.monotonic() - begun + 1
    assert {one["spec"]["namespace"] for one in revoked} <= {world.home.namespace}


def test_retention_deletes_the_oldest(world: World) -> None:
    """The newest revoked ones stay listed, and what is active stays whatever its age."""
    active = world.credential()
    revoked = [world.credential() for _ in range(2 * KEPT)]
    for credential_id in revoked:
        assert world.api.revoke(world.agent_id, credential_id).status_code == HTTPStatus.NO_CONTENT
    expected = {active, *revoked[-KEPT:]}
    eventually("the newest are left", lambda: {one["credentialId"] for one in listed(world)}, lambda left: left == expected)


def listed(world: World) -> list[dict[str, str]]:
    """The credentials of its agent."""
    return list(world.api.credentials(world.agent_id, limit=100).json()["data"])


def test_retention_leaves_declared_objects(world: World) -> None:
    """However many of them have ended: they are their owner's to delete."""
    names = [f"declared-{number}" for number in range(2 * KEPT)]
    for name in names:
        world.home.create("AgentCredential", name, state="Revoked")
        world.home.create("Agent", name, state="Decommissioned")
    for _ in range(2 * KEPT):
        revoke(world)
        decommission(world)
    eventually("what was made over REST is swept", world.objects, lambda left: left == 3 + 2 * KEPT + 2 * len(names))
    assert all(world.home.find("AgentCredential", name) and world.home.find("Agent", name) for name in names)


def test_retention_deletes_a_decommissioned_agent_with_its_credentials(world: World) -> None:
    """Those that it had, revoked or not; nothing else is left to name it."""
    before = world.objects()
    for _ in range(2 * KEPT):
        answer = world.api.ask("POST", "/agents", json=AN_AGENT)
        agent_id = answer.json()["agentId"]
        assert world.api.generate(agent_id).status_code == HTTPStatus.CREATED
        assert world.api.ask("DELETE", f"/agents/{agent_id}").status_code == HTTPStatus.NO_CONTENT
    eventually("the newest are left", world.objects, lambda left: left == before + 2 * KEPT)


@pytest.fixture
def few_writes(bounded: Programs) -> Iterator[None]:
    """A budget that does not grow again while the test runs."""
    bounded.restart(MANAGEMENT_API.name, SETTINGS | NO_MORE_WRITES)
    yield
    bounded.restart(MANAGEMENT_API.name, SETTINGS)


def test_rate_of_changes_is_shared_by_the_callers_of_a_namespace(
    world: World, bounded: Programs, objects: Objects, cluster: ControlPlane, few_writes: None
) -> None:
    """An agent, another agent of it and a ServiceAccount: 429 by the contract, and nothing is written. Others do not notice."""
    bearer = service_account_token(cluster, world.home.namespace, "pipeline")
    allow(objects, world.home.namespace, "pipeline", ["get", "create", "patch"], ["agents", "agentcredentials"])
    callers = [world.api, as_agent(bounded, access_token(world.home, "second")), as_agent(bounded, bearer)]
    eventually("the ServiceAccount has its rights", lambda: callers[2].ask("GET", f"/agents/{world.agent_id}").is_success)
    answers = [
        callers[number % 3].ask("PATCH", f"/agents/{world.agent_id}", json={"version": f"2.0.{number}"})
        for number in range(CALLS)
    ]
    assert [one.status_code for one in answers] == [200] * WRITES + [429] * (CALLS - WRITES)
    refused(answers[-1], HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].headers["x-ratelimit-limit"] == f"{WRITES}"
    assert callers[0].ask("GET", f"/agents/{world.agent_id}").json()["version"] == f"2.0.{WRITES - 1}"
    assert world.home.get("Agent")["metadata"]["generation"] == 1 + WRITES
    other = Tenant.new(objects)
    with as_agent(bounded, access_token(other)) as api:
        agent_id = an_agent(other)
        others = [api.ask("PATCH", f"/agents/{agent_id}", json={"version": f"2.0.{number}"}) for number in range(WRITES)]
    assert [one.status_code for one in others] == [200] * WRITES


def test_object_limit_stops_agents_in_a_full_namespace_only(world: World, bounded: Programs, objects: Objects) -> None:
    """403, and what is there stays in use. In bytes it is what so many objects take."""
    answers = [world.api.ask("POST", "/agents", json=AN_AGENT) for _ in range(OBJECTS)]
    refused(answers[-1], HTTPStatus.FORBIDDEN, "FORBIDDEN")
    refused(world.api.generate(world.agent_id), HTTPStatus.FORBIDDEN, "FORBIDDEN")
    assert is_found(world.api, world.agent_id)
    kinds = ("Agent", "AgentCredential")
    stored = sum(
        len(httpx.Response(200, json=one).content) for kind in kinds for one in objects.list(kind, world.home.namespace)
    )
    assert stored <= OBJECTS * BYTES_OF_AN_OBJECT
    other = Tenant.new(objects)
    with as_agent(bounded, access_token(other)) as api:
        assert api.ask("POST", "/agents", json=AN_AGENT).status_code == HTTPStatus.CREATED


def is_found(api: Api, agent_id: str) -> bool:
    """Whether it is there for this caller."""
    return api.ask("GET", f"/agents/{agent_id}").status_code == HTTPStatus.OK


def test_object_limit_does_not_stop_users_of_the_cluster(world: World, bounded: Programs, cluster: ControlPlane) -> None:
    """They could make as many with kubectl."""
    bearer = service_account_token(cluster, world.home.namespace, "pipeline")
    allow(world.home.objects, world.home.namespace, "pipeline", ["get", "create"], ["agents"])
    with as_agent(bounded, bearer) as api:
        eventually("it has its rights", lambda: api.ask("GET", f"/agents/{world.agent_id}").is_success)
        answers = [api.ask("POST", "/agents", json=AN_AGENT) for _ in range(OBJECTS)]
    assert {one.status_code for one in answers} == {HTTPStatus.CREATED}
