"""The five agent calls of the management API, as documented: each success and each error, on a real control plane."""

from http import HTTPStatus
from typing import Any

import pytest

from devcluster.programs import Programs
from tests.support.management import AN_AGENT, NO_SUCH_ID, Api, an_agent, an_organization
from tests.support.objects import Objects
from tests.support.refusals import refused
from tests.support.tenants import Tenant, condition_of
from tests.support.waiting import eventually

FIELDS = {
    "agentId",
    "email",
    "agentType",
    "version",
    "capabilities",
    "owner",
    "deploymentEnv",
    "organizationId",
    "status",
    "createdAt",
    "updatedAt",
}


def registered(api: Api, **fields: Any) -> dict[str, Any]:
    """A new agent."""
    answer = api.ask("POST", "/agents", json=AN_AGENT | fields)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    told: dict[str, Any] = answer.json()
    return told


def resource_of(home: Tenant, agent_id: str) -> dict[str, Any]:
    """The Agent of this id."""
    agents = home.objects.list("Agent", home.namespace)
    return next(one for one in agents if one.get("status", {}).get("agentId") == agent_id)


def test_register(api: Api, home: Tenant) -> None:
    """201, in the caller's namespace, at once able to have credentials; without scopes, whoever asked."""
    told = registered(api)
    assert told.keys() == FIELDS
    assert {name: told[name] for name in AN_AGENT} == AN_AGENT
    assert (told["status"], told["organizationId"]) == ("active", None)
    resource = resource_of(home, told["agentId"])
    assert resource["spec"].keys() & {"scopes", "audiences", "agentId", "organizationId"} == set()
    assert resource["spec"]["type"] == "Classifier"
    assert resource["metadata"]["annotations"]["idp.sentryagent.ai/changed-by"].startswith("agent:")
    assert api.ask("GET", f"/agents/{told['agentId']}").json() == told
    assert api.generate(told["agentId"]).status_code == HTTPStatus.CREATED


def test_list(api: Api) -> None:
    """In pages, by owner, type and status."""
    made = [registered(api, owner="a-team-of-its-own")["agentId"] for _ in range(3)]
    registered(api, owner="another-team")
    api.ask("PATCH", f"/agents/{made[0]}", json={"status": "suspended", "agentType": "router"})

    def ids(**query: Any) -> set[str]:
        return {
            one["agentId"] for one in api.ask("GET", "/agents", params={"owner": "a-team-of-its-own"} | query).json()["data"]
        }

    assert ids() == set(made)
    assert ids(status="suspended") == ids(agentType="router") == {made[0]}
    assert ids(status="active", agentType="classifier") == set(made[1:])
    assert ids(status="decommissioned") == set()
    pages = [
        api.ask("GET", "/agents", params={"owner": "a-team-of-its-own", "limit": 2, "page": page}).json() for page in (1, 2)
    ]
    assert [(len(one["data"]), one["total"], one["page"], one["limit"]) for one in pages] == [(2, 3, 1, 2), (1, 3, 2, 2)]
    assert {one["agentId"] for some in pages for one in some["data"]} == set(made)


def test_update(api: Api, home: Tenant) -> None:
    """200 with what has changed; the rest stays, in the resource, too."""
    told = registered(api)
    home_name = resource_of(home, told["agentId"])["metadata"]["name"]
    home.change("Agent", home_name, scopes=["a:read"])
    changes = {"version": "2.1.0", "deploymentEnv": "production", "capabilities": ["document:read"]}
    answer = api.ask("PATCH", f"/agents/{told['agentId']}", json=changes)
    assert answer.status_code == HTTPStatus.OK, answer.text
    changed = answer.json()
    assert changed | {"updatedAt": None} == told | changes | {"updatedAt": None}
    assert changed["updatedAt"] >= told["updatedAt"]
    assert resource_of(home, told["agentId"])["spec"]["scopes"] == ["a:read"]


def test_suspend_and_resume(api: Api, home: Tenant) -> None:
    """By the status of an update."""
    agent_id = registered(api)["agentId"]
    assert api.ask("PATCH", f"/agents/{agent_id}", json={"status": "suspended"}).json()["status"] == "suspended"
    assert resource_of(home, agent_id)["spec"]["state"] == "Suspended"
    assert api.ask("PATCH", f"/agents/{agent_id}", json={"status": "active"}).json()["status"] == "active"
    eventually("it gets secrets", lambda: api.generate(agent_id).status_code == HTTPStatus.CREATED)


def test_update_of_nothing(api: Api, home: Tenant) -> None:
    """Writes nothing."""
    told = registered(api)
    before = resource_of(home, told["agentId"])["metadata"]["resourceVersion"]
    assert api.ask("PATCH", f"/agents/{told['agentId']}", json={}).json() == told
    assert resource_of(home, told["agentId"])["metadata"]["resourceVersion"] == before


def test_decommission(api: Api, home: Tenant) -> None:
    """204, and for ever: it is listed as such, and refuses all changes."""
    agent_id = registered(api)["agentId"]
    answer = api.ask("DELETE", f"/agents/{agent_id}")
    assert (answer.status_code, answer.content) == (HTTPStatus.NO_CONTENT, b"")
    assert api.ask("GET", f"/agents/{agent_id}").json()["status"] == "decommissioned"
    again = api.ask("DELETE", f"/agents/{agent_id}")
    assert refused(again, HTTPStatus.CONFLICT, "AGENT_ALREADY_DECOMMISSIONED") == {"agentId": agent_id}
    change = api.ask("PATCH", f"/agents/{agent_id}", json={"status": "active"})
    refused(change, HTTPStatus.CONFLICT, "AGENT_ALREADY_DECOMMISSIONED")


@pytest.mark.parametrize(("agent_id", "told"), [(NO_SUCH_ID, {"agentId": NO_SUCH_ID}), ("not-an-id", {})])
def test_agent_that_does_not_exist(agent_id: str, told: dict[str, str], api: Api) -> None:
    """404 from each call. What is no id is not repeated: it may be a secret in the wrong place (SECURITY.md)."""
    for method in ("GET", "PATCH", "DELETE"):
        answer = api.ask(method, f"/agents/{agent_id}", **({"json": {}} if method == "PATCH" else {}))
        assert refused(answer, HTTPStatus.NOT_FOUND, "AGENT_NOT_FOUND") == told


WRONG_FIELDS: dict[str, dict[str, Any]] = {
    "an address that is none": {"email": "screener"},
    "a type that is unknown": {"agentType": "Screener"},
    "a version that is not semver": {"version": "1.4"},
    "no capabilities": {"capabilities": []},
    "a capability twice": {"capabilities": ["a:b", "a:b"]},
    "a capability that is none": {"capabilities": ["read everything"]},
    "an owner that is empty": {"owner": ""},
    "an environment that is unknown": {"deploymentEnv": "moon"},
    "scopes of its own": {"scopes": ["agents:write"]},
    "audiences of its own": {"audiences": ["https://idp.example"]},
    "an id of its own": {"agentId": NO_SUCH_ID},
}


@pytest.mark.parametrize("what", WRONG_FIELDS)
def test_field_that_is_not_valid_is_named(what: str, api: Api, agent_id: str) -> None:
    """400 naming the field, for a new agent and for a change; nobody gives an agent scopes or an id like this."""
    wrong = WRONG_FIELDS[what]
    field = next(iter(wrong))
    for answer in (
        api.ask("POST", "/agents", json=AN_AGENT | wrong),
        api.ask("PATCH", f"/agents/{agent_id}", json=wrong),
    ):
        (named,) = refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")
        assert named.partition(".")[0] == field


@pytest.mark.parametrize("field", ["organizationId", "agentId"])
def test_field_that_never_changes_is_not_taken(field: str, api: Api, agent_id: str) -> None:
    """Is no field of an update."""
    answer = api.ask("PATCH", f"/agents/{agent_id}", json={field: NO_SUCH_ID})
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == {field}


def test_update_does_not_decommission(api: Api, agent_id: str) -> None:
    """It has a call of its own, so that nobody does it by mistake."""
    answer = api.ask("PATCH", f"/agents/{agent_id}", json={"status": "decommissioned"})
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == {"status"}


def test_register_needs_all_fields(api: Api) -> None:
    """Each missing field is named."""
    answer = api.ask("POST", "/agents", json={})
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == AN_AGENT.keys()


def test_register_in_another_organization_is_refused(api: Api, home: Tenant, objects: Objects) -> None:
    """Even where it admits the namespace."""
    name = an_organization(objects, home)
    answer = api.ask("POST", "/agents", json=AN_AGENT | {"organizationId": name})
    refused(answer, HTTPStatus.FORBIDDEN, "FORBIDDEN")


def test_agent_is_the_same_with_kubectl(api: Api, home: Tenant, all_programs: Programs) -> None:
    """An agent that was declared is listed; one that was registered is Ready."""
    declared = an_agent(home, "declared-with-kubectl")
    eventually("it is there", lambda: api.ask("GET", f"/agents/{declared}").status_code == HTTPStatus.OK)
    ready = condition_of(resource_of(home, registered(api)["agentId"]))
    assert ready
    assert ready["status"] == "True"
