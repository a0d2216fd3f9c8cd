"""Every kind of caller, with what is its own and what is others', in every call: each cell is asserted.

Whoever may write Agents in a namespace gives its agents any scope. So the matrix of agents has the entries of
`Organization.spec.administrators` beside the scopes, and what is promised of both in docs/guides/manage-credentials.md.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.management import (
    AN_AGENT,
    Api,
    access_token,
    allow,
    an_agent,
    an_organization,
    as_agent,
    service_account_token,
)
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

READ = {"get agent": 200, "list credentials": 200}
WRITE = {"generate": 201, "rotate": 200, "revoke": 204, "update agent": 200, "decommission": 204}
ALL = READ | WRITE
HIDDEN = dict.fromkeys(ALL, 404)
NOT_ALLOWED = dict.fromkeys(WRITE, 403)

CALLS: dict[str, Callable[[Api, str, str], httpx.Response]] = {
    "get agent": lambda api, agent, _: api.ask("GET", f"/agents/{agent}"),
    "list credentials": lambda api, agent, _: api.credentials(agent),
    "generate": lambda api, agent, _: api.generate(agent),
    "rotate": lambda api, agent, credential: api.rotate(agent, credential),
    "revoke": lambda api, agent, credential: api.revoke(agent, credential),
    "update agent": lambda api, agent, _: api.ask("PATCH", f"/agents/{agent}", json={"version": "9.9.9"}),
    "decommission": lambda api, agent, _: api.ask("DELETE", f"/agents/{agent}"),
}

SORTS = (
    "of A, in its namespace",
    "of A, in another namespace",
    "of B",
    "of none, in its namespace",
    "of none, in another namespace",
    "claims A, not admitted",
)
EXPECTED: dict[str, dict[str, dict[str, int]]] = {
    "an agent of organization A": dict.fromkeys(SORTS, HIDDEN) | {"of A, in its namespace": ALL},
    "an agent of organization A that may only read": dict.fromkeys(SORTS, dict.fromkeys(READ, 404) | NOT_ALLOWED)
    | {"of A, in its namespace": READ | NOT_ALLOWED},
    "an agent of organization A without scopes": dict.fromkeys(SORTS, dict.fromkeys(ALL, 403)),
    "an agent without an organization": dict.fromkeys(SORTS, HIDDEN) | {"of none, in its namespace": ALL},
    "a ServiceAccount that may write in its namespace": dict.fromkeys(SORTS, HIDDEN)
    | {"of A, in its namespace": ALL, "of none, in its namespace": ALL},
    "a ServiceAccount that may read in its namespace": dict.fromkeys(SORTS, HIDDEN)
    | {"of A, in its namespace": READ | NOT_ALLOWED, "of none, in its namespace": READ | NOT_ALLOWED},
    "a ServiceAccount without rights": dict.fromkeys(SORTS, HIDDEN),
    "a cluster administrator": dict.fromkeys(SORTS, ALL)
    | {"claims A, not admitted": ALL | {"generate": 403, "rotate": 404, "revoke": 404}},
}
LISTS: dict[str, set[str] | int] = {
    "an agent of organization A": {"of A, in its namespace"},
    "an agent of organization A that may only read": {"of A, in its namespace"},
    "an agent of organization A without scopes": 403,
    "an agent without an organization": {"of none, in its namespace"},
    "a ServiceAccount that may write in its namespace": {"of A, in its namespace", "of none, in its namespace"},
    "a ServiceAccount that may read in its namespace": {"of A, in its namespace", "of none, in its namespace"},
    "a ServiceAccount without rights": 403,
}
REGISTERS: dict[str, int] = {
    "an agent of organization A": 201,
    "an agent of organization A that may only read": 403,
    "an agent of organization A without scopes": 403,
    "an agent without an organization": 201,
    "a ServiceAccount that may write in its namespace": 201,
    "a ServiceAccount that may read in its namespace": 403,
    "a ServiceAccount without rights": 403,
    "a cluster administrator": 400,  # a user has no namespace, and has to name one
}


@dataclass(frozen=True)
class World:
    """Two organizations in three namespaces; makes agents of each sort, and callers of each kind."""

    cluster: ControlPlane
    objects: Objects
    programs: Programs
    home: Tenant
    branch: Tenant
    foreign: Tenant
    organization: str
    other_organization: str
    callers: dict[str, Api]

    def target(self, sort: str, name: str, organization: str | None = None) -> str:
        """The id of a new agent of this sort, where A is this organization."""
        of_a = {"organizationId": organization or self.organization}
        where: dict[str, tuple[Tenant, dict[str, Any]]] = {
            "of A, in its namespace": (self.home, of_a),
            "of A, in another namespace": (self.branch, of_a),
            "of B": (self.foreign, {"organizationId": self.other_organization}),
            "of none, in its namespace": (self.home, {}),
            "of none, in another namespace": (self.foreign, {}),
            "claims A, not admitted": (self.foreign, of_a),
        }
        tenant, spec = where[sort]
        if sort != "claims A, not admitted":
            return an_agent(tenant, name, **spec)
        tenant.create("Agent", name, **spec)
        return str(tenant.until("Agent", "OrganizationNotAdmitted", name)["status"]["agentId"])


@pytest.fixture(scope="module")
def world(cluster: ControlPlane, objects: Objects, all_programs: Programs) -> Iterator[World]:
    """All callers are there."""
    home, branch, foreign = (Tenant.new(objects) for _ in range(3))
    organization, other = an_organization(objects, home, branch), an_organization(objects, foreign)
    of_a = {"organizationId": organization}
    agents = {
        "an agent of organization A": ("writer", None, of_a),
        "an agent of organization A that may only read": ("reader", ["agents:read"], of_a),
        "an agent of organization A without scopes": ("nobody", [], of_a),
        "an agent without an organization": ("loner", None, {}),
    }
    accounts = {
        "a ServiceAccount that may write in its namespace": ("writer", ["get", "list", "create", "patch"]),
        "a ServiceAccount that may read in its namespace": ("reader", ["get", "list"]),
        "a ServiceAccount without rights": ("nobody", None),
    }
    tokens = {kind: access_token(home, f"caller-{name}", scopes, **spec) for kind, (name, scopes, spec) in agents.items()}
    for kind, (name, verbs) in accounts.items():
        tokens[kind] = service_account_token(cluster, home.namespace, name)
        if verbs:
            allow(objects, home.namespace, name, verbs, ["agents", "agentcredentials"])
    tokens["a cluster administrator"] = objects.bearer
    callers = {kind: as_agent(all_programs, token) for kind, token in tokens.items()}
    yield World(cluster, objects, all_programs, home, branch, foreign, organization, other, callers)
    for caller in callers.values():
        caller.client.close()


ROWS = [(kind, sort) for kind, row in EXPECTED.items() for sort in row]


@pytest.mark.parametrize(("kind", "sort"), ROWS, ids=[f"{kind} and one {sort}" for kind, sort in ROWS])
def test_caller_may_do_with_an_agent(kind: str, sort: str, world: World) -> None:
    """Every call that names an agent; what is refused has changed nothing."""
    expected = EXPECTED[kind][sort]
    name = f"target-{ROWS.index((kind, sort))}"
    agent_id = world.target(sort, name)
    credential_id = a_credential(world, sort, agent_id)
    before = everything_of(world, name)
    statuses = {call: do(world.callers[kind], agent_id, credential_id).status_code for call, do in CALLS.items()}
    assert statuses == expected
    if not any(statuses[call] in {200, 201, 204} for call in WRITE):
        assert everything_of(world, name) == before


@pytest.mark.parametrize("kind", LISTS)
def test_caller_sees_in_the_list(kind: str, world: World) -> None:
    """Exactly the sorts that are its own; or it may not list at all."""
    expected = LISTS[kind]
    owner = f"list-{list(LISTS).index(kind)}"
    made = {world.target(sort, f"{owner}-{number}"): sort for number, sort in enumerate(SORTS)}
    answer = world.callers[kind].ask("GET", "/agents", params={"limit": 100})
    if isinstance(expected, int):
        assert answer.status_code == expected
    else:
        assert {made[one["agentId"]] for one in answer.json()["data"] if one["agentId"] in made} == expected


def test_administrator_sees_all_or_one_namespace(world: World) -> None:
    """As they ask."""
    api = world.callers["a cluster administrator"]
    here, there = world.target("of none, in its namespace", "seen-here"), world.target("of B", "seen-there")
    every = {one["agentId"] for one in api.ask("GET", "/agents", params={"limit": 100}).json()["data"]}
    assert {here, there} <= every
    query = {"namespace": world.foreign.namespace, "limit": "100"}
    some = {one["agentId"] for one in api.ask("GET", "/agents", params=query).json()["data"]}
    assert there in some
    assert here not in some


@pytest.mark.parametrize("kind", REGISTERS)
def test_caller_may_register_an_agent(kind: str, world: World) -> None:
    """In the caller's own namespace, and for an agent's in its own organization."""
    answer = world.callers[kind].ask("POST", "/agents", json=AN_AGENT)
    assert answer.status_code == REGISTERS[kind], answer.text
    if answer.status_code == 201:
        told = answer.json()
        assert told["organizationId"] == (world.organization if "organization A" in kind else None)
        ids = {one["status"].get("agentId") for one in world.objects.list("Agent", world.home.namespace)}
        assert told["agentId"] in ids


@pytest.mark.parametrize("kind", [kind for kind in REGISTERS if "administrator" not in kind])
def test_caller_may_not_register_an_agent_in_anothers_namespace(kind: str, world: World) -> None:
    """Whatever they may do in their own."""
    query = {"namespace": world.foreign.namespace}
    assert world.callers[kind].ask("POST", "/agents", json=AN_AGENT, params=query).status_code == 403


def test_administrator_names_the_namespace(world: World) -> None:
    """And an organization that admits it."""
    api, query = world.callers["a cluster administrator"], {"namespace": world.foreign.namespace}
    own = api.ask("POST", "/agents", json=AN_AGENT | {"organizationId": world.other_organization}, params=query)
    assert own.status_code == 201, own.text
    other = api.ask("POST", "/agents", json=AN_AGENT | {"organizationId": world.organization}, params=query)
    assert other.status_code == 403
    nowhere = api.ask("POST", "/agents", json=AN_AGENT, params={"namespace": "there-is-no-such-namespace"})
    assert nowhere.status_code == 400
    assert nowhere.json()["details"].keys() == {"namespace"}


CALLERS = {"reads": ["agents:read"], "writes": ["agents:write"], "neither reads nor writes": ["tokens:read"]}
ENTRIES: dict[str, tuple[str, list[str]] | None] = {
    "no entry": None,
    "an entry for reading": ("home", ["agents:read"]),
    "an entry for writing": ("home", ["agents:write"]),
    "an entry of all other scopes": ("home", ["audit:read", "tokens:read", "webhooks:read", "webhooks:write"]),
    "an entry of another namespace": ("branch", ["agents:write"]),
    "an entry of a namespace that is not admitted": ("foreign", ["agents:write"]),
}


def promised(scope: str, entry: str, sort: str, call: str) -> int:
    """The status of a call: by scope first, then by what the caller reaches."""
    if scope == "neither reads nor writes" or (scope == "reads" and call in WRITE):
        return 403
    reach = {"an entry for reading": READ, "an entry for writing": ALL}.get(entry, {})
    if sort == "of A, in its namespace" or (sort == "of A, in another namespace" and call in reach):
        return ALL[call]
    return 403 if sort == "of A, in another namespace" and reach else 404


@pytest.fixture(scope="module")
def organizations(world: World) -> dict[str, str]:
    """An organization of the same namespaces with each of the entries."""
    return {entry: an_administered_organization(world, number, entry) for number, entry in enumerate(ENTRIES)}


def an_administered_organization(world: World, number: int, entry: str) -> str:
    """Its name."""
    places = {"home": world.home.namespace, "branch": world.branch.namespace, "foreign": world.foreign.namespace}
    spec: dict[str, Any] = {"namespaces": [places["home"], places["branch"]]}
    if one := ENTRIES[entry]:
        spec["administrators"] = [{"namespace": places[one[0]], "scopes": one[1]}]
    name = f"entry-{number}-{world.home.namespace}"
    world.objects.create(a_resource("Organization", spec, name))
    return name


@pytest.fixture(scope="module")
def agent_of(world: World, organizations: dict[str, str]) -> Iterator[Callable[[str, str], Api]]:
    """An agent in the home namespace that belongs to the organization with this entry, and declares these scopes."""
    with ExitStack() as connections:

        def caller(scope: str, entry: str) -> Api:
            name = f"of-{list(ENTRIES).index(entry)}-{list(CALLERS).index(scope)}"
            bearer = access_token(world.home, name, CALLERS[scope], organizationId=organizations[entry])
            return connections.enter_context(as_agent(world.programs, bearer))

        yield cache(caller)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("scope", CALLERS)
def test_agent_caller_is_bounded_by_its_scope_and_the_administrators_of_its_organization(
    scope: str, entry: str, world: World, organizations: dict[str, str], agent_of: Callable[[str, str], Api]
) -> None:
    """Beyond its namespace only what an entry gives to it; what is refused has changed nothing."""
    case = f"case-{list(CALLERS).index(scope)}-{list(ENTRIES).index(entry)}"
    api, listed, seen = agent_of(scope, entry), set[str](), dict[str, dict[str, int]]()
    for number, sort in enumerate(SORTS):
        name = f"{case}-{number}"
        agent_id = world.target(sort, name, organizations[entry])
        credential_id = a_credential(world, sort, agent_id)
        before = everything_of(world, name)
        found = api.ask("GET", "/agents", params={"limit": 100})
        listed |= {sort} if found.is_success and agent_id in [one["agentId"] for one in found.json()["data"]] else set()
        seen[sort] = {call: do(api, agent_id, credential_id).status_code for call, do in CALLS.items()}
        assert everything_of(world, name) == before or set(seen[sort].values()) & {201, 204}
    assert seen == {sort: {call: promised(scope, entry, sort, call) for call in CALLS} for sort in SORTS}
    assert listed == {sort for sort in SORTS if promised(scope, entry, sort, "get agent") == 200}


def test_administrators_entry_takes_effect_at_once(world: World, organizations: dict[str, str]) -> None:
    """Whatever the token was given before: what counts is what the Organization says now. It gives reach, and not the scope."""
    name = organizations["no entry"]
    api = as_agent(world.programs, access_token(world.home, "as-it-stands", organizationId=name))
    target = world.target("of A, in another namespace", "as-it-stands", name)

    def says(status: int, **spec: Any) -> None:
        world.objects.change("Organization", name, {"spec": spec})
        version = {"version": "9.9.9"}
        eventually(f"{status}", lambda: api.ask("PATCH", f"/agents/{target}", json=version).status_code == status)

    says(404)
    says(200, administrators=[{"namespace": world.home.namespace, "scopes": ["agents:write"]}])
    says(403, allowedScopes=["agents:read"])
    says(200, allowedScopes=["agents:read", "agents:write"])
    says(404, administrators=None)


def a_credential(world: World, sort: str, agent_id: str) -> str:
    """The id of a credential of the agent; one that is not admitted has none, and any id will do."""
    admin = world.callers["a cluster administrator"]
    eventually("the API knows the agent", lambda: admin.ask("GET", f"/agents/{agent_id}").status_code == 200)
    if sort != "claims A, not admitted":
        return str(admin.generate(agent_id).json()["credentialId"])
    tenant = world.foreign
    name = next(
        one["metadata"]["name"]
        for one in tenant.objects.list("Agent", tenant.namespace)
        if one["status"].get("agentId") == agent_id
    )
    made = tenant.create("AgentCredential", f"of-{name}", agentRef={"name": name})
    return str(made["metadata"]["uid"])


def everything_of(world: World, name: str) -> dict[str, Any]:
    """The resource versions of the agent and of what names it."""
    found = {}
    for tenant in (world.home, world.branch, world.foreign):
        for kind in ("Agent", "AgentCredential"):
            for one in tenant.objects.list(kind, tenant.namespace):
                if one["metadata"]["name"] == name or one["spec"].get("agentRef", {}).get("name") == name:
                    found[one["metadata"]["uid"]] = one["metadata"]["generation"]
    return found
