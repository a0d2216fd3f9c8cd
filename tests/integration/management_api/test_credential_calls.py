"""The four credential calls of the management API, as documented: each success and each error, on a real control plane."""

import re
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest

from devcluster.install import NAMESPACE
from devcluster.programs import Programs
from tests.support.management import NO_SUCH_ID, Api, an_agent, as_agent, in_the_future, pair_of
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.refusals import refused
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_refused, is_served, token, verified

FIELDS = {"credentialId", "clientId", "status", "createdAt", "expiresAt", "revokedAt"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def generated(api: Api, agent_id: str, **body: Any) -> dict[str, Any]:
    """A new credential with its secret."""
    answer = eventually(
        "the agent is known", lambda: api.generate(agent_id, **body), lambda one: "AGENT_NOT_FOUND" not in one.text
    )
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_generate(api: Api, agent_id: str, home: Tenant, all_programs: Programs) -> None:
    """201 with the secret, which is served when the answer is there; the resource has its hash and says who asked."""
    answer = api.ask("POST", f"/agents/{agent_id}/credentials", json={}, headers={"X-Request-Id": "from-a-test"})
    assert answer.status_code == HTTPStatus.CREATED
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] == "from-a-test"
    told = answer.json()
    assert told.keys() == FIELDS | {"clientSecret"}
    assert re.fullmatch(r"sk_live_[0-9a-f]{32}", told["clientSecret"])
    assert (told["clientId"], told["status"], told["expiresAt"], told["revokedAt"]) == (agent_id, "active", None, None)
    assert TIME.fullmatch(told["createdAt"])
    assert verified(token(pair_of(answer, all_programs)), all_programs.token_url)["credential_id"] == told["credentialId"]
    (resource,) = (
        one for one in home.objects.list("AgentCredential", home.namespace) if one["metadata"]["uid"] == told["credentialId"]
    )
    assert resource["spec"]["secretHash"].keys() == {"hash", "hint"}
    assert "secret" not in resource["spec"]
    annotations = resource["metadata"]["annotations"]
    assert annotations["idp.sentryagent.ai/changed-by"].startswith("agent:")
    assert annotations["idp.sentryagent.ai/request-id"] == "from-a-test"
    pending = home.objects.list("PendingChange", NAMESPACE)
    assert resource["metadata"]["name"] not in [one["spec"]["credential"]["name"] for one in pending]


def test_generate_with_an_expiry(api: Api, agent_id: str) -> None:
    """As it was given, with milliseconds and Z."""
    assert generated(api, agent_id, expiresAt="2099-01-31T13:00:00+01:00")["expiresAt"] == "2099-01-31T12:00:00.000Z"


def test_generate_without_a_body(api: Api, agent_id: str) -> None:
    """Is as good as {}."""
    assert api.ask("POST", f"/agents/{agent_id}/credentials").status_code == HTTPStatus.CREATED


def test_list(api: Api, home: Tenant) -> None:
    """Newest first, in pages, by status, never with a secret; revoked ones stay."""
    agent_id = an_agent(home, "listed")
    made = [generated(api, agent_id)["credentialId"] for _ in range(3)]
    api.revoke(agent_id, made[1])
    whole = api.credentials(agent_id).json()
    assert [one["credentialId"] for one in whole["data"]] == made[::-1]
    assert (whole["total"], whole["page"], whole["limit"]) == (3, 1, 20)
    assert all(one.keys() == FIELDS for one in whole["data"])
    second = api.credentials(agent_id, page=2, limit=2).json()
    assert ([one["credentialId"] for one in second["data"]], second["total"]) == ([made[0]], 3)
    assert [one["credentialId"] for one in api.credentials(agent_id, status="revoked").json()["data"]] == [made[1]]
    assert [one["credentialId"] for one in api.credentials(agent_id, status="active").json()["data"]] == [made[2], made[0]]
    assert api.credentials(agent_id, page=9).json() == {"data": [], "total": 3, "page": 9, "limit": 20}


def test_rotate(api: Api, agent_id: str, all_programs: Programs) -> None:
    """200 with another secret under the same id; the old one is refused; what was issued stays good."""
    first = api.generate(agent_id)
    access = token(pair_of(first, all_programs))
    told = first.json()
    rotated = api.rotate(agent_id, told["credentialId"])
    assert rotated.status_code == HTTPStatus.OK, rotated.text
    assert rotated.json().keys() == FIELDS | {"clientSecret"}
    assert rotated.json()["credentialId"] == told["credentialId"]
    assert rotated.json()["clientSecret"] != told["clientSecret"]
    eventually("the new one is served", lambda: is_served(pair_of(rotated, all_programs)))
    eventually("the old one is refused", lambda: is_refused(pair_of(first, all_programs)))
    verified(access, all_programs.token_url)


def test_rotate_with_an_expiry(api: Api, agent_id: str) -> None:
    """The credential has it from then on; without one it stays as it is."""
    told = generated(api, agent_id)
    later = in_the_future(days=3)
    rotated = api.rotate(agent_id, told["credentialId"], expiresAt=later).json()
    assert datetime.fromisoformat(rotated["expiresAt"]) == datetime.fromisoformat(later)
    assert api.rotate(agent_id, told["credentialId"]).json()["expiresAt"] == rotated["expiresAt"]


def test_rotate_a_secret_that_is_delivered(api: Api, home: Tenant, agent_id: str, all_programs: Programs) -> None:
    """The operator makes the value, and the answer says where it is."""
    before = home.issue("delivered", secret={"name": "delivered-pair"})
    credential_id = home.get("AgentCredential", "delivered")["metadata"]["uid"]
    answer = api.rotate(agent_id, credential_id)
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.json().keys() == FIELDS | {"secretRef"}
    assert answer.json()["secretRef"] == {"namespace": home.namespace, "name": "delivered-pair"}
    after = home.pair("delivered-pair")
    assert after.client_secret != before.client_secret
    eventually("the new one is served", lambda: is_served(after))
    eventually("the old one is refused", lambda: is_refused(before))


def test_rotate_ends_overlaps_after_a_leak(api: Api, home: Tenant, agent_id: str) -> None:
    """Declared is a day; `endOverlaps` refuses what was made before all the same (rotation.md, A secret that leaked)."""
    first = home.issue("leaked", rotation={"overlap": "24h"})
    credential_id = home.get("AgentCredential", "leaked")["metadata"]["uid"]
    answer = api.rotate(agent_id, credential_id)
    assert answer.status_code == HTTPStatus.OK, answer.text
    between = home.pair("leaked")
    assert is_served(first)
    assert api.rotate(agent_id, credential_id, endOverlaps=True).status_code == HTTPStatus.OK
    for pair in (first, between):
        eventually("an older one is refused", partial(is_refused, pair))
    eventually("the new one is served", lambda: is_served(home.pair("leaked")))


def test_rotate_ends_overlaps_of_a_secret_that_this_api_made(
    api: Api, home: Tenant, agent_id: str, all_programs: Programs
) -> None:
    """manage-credentials.md: a declared overlap counts; at the response `endOverlaps` has refused what was made before."""
    first = api.generate(agent_id)
    credential_id = first.json()["credentialId"]
    (name,) = (
        one["metadata"]["name"]
        for one in home.objects.list("AgentCredential", home.namespace)
        if one["metadata"]["uid"] == credential_id
    )
    home.change("AgentCredential", name, rotation={"overlap": "24h"})
    second = api.rotate(agent_id, credential_id)
    assert second.status_code == HTTPStatus.OK, second.text
    assert is_served(pair_of(first, all_programs))
    third = api.rotate(agent_id, credential_id, endOverlaps=True)
    assert third.status_code == HTTPStatus.OK, third.text
    served = [is_served(pair_of(answer, all_programs)) for answer in (first, second, third)]
    assert served == [False, False, True]
    fourth = api.rotate(agent_id, credential_id)
    assert [is_served(pair_of(answer, all_programs)) for answer in (second, third, fourth)] == [False, True, True]


def test_revoke(api: Api, agent_id: str, all_programs: Programs) -> None:
    """204 and nothing else; the record stays, what was issued stays good, a second time is a conflict."""
    first = api.generate(agent_id)
    access = token(pair_of(first, all_programs))
    credential_id = first.json()["credentialId"]
    answer = api.revoke(agent_id, credential_id)
    assert (answer.status_code, answer.content) == (HTTPStatus.NO_CONTENT, b"")
    eventually("it is refused", lambda: is_refused(pair_of(first, all_programs)))
    (record,) = (one for one in api.credentials(agent_id).json()["data"] if one["credentialId"] == credential_id)
    assert record["status"] == "revoked"
    assert TIME.fullmatch(record["revokedAt"])
    verified(access, all_programs.token_url)
    details = refused(api.revoke(agent_id, credential_id), HTTPStatus.CONFLICT, "CREDENTIAL_ALREADY_REVOKED")
    assert details == {"credentialId": credential_id}


def test_rotate_refuses_a_revoked_credential(api: Api, agent_id: str) -> None:
    """A conflict."""
    credential_id = generated(api, agent_id)["credentialId"]
    api.revoke(agent_id, credential_id)
    refused(api.rotate(agent_id, credential_id), HTTPStatus.CONFLICT, "CREDENTIAL_ALREADY_REVOKED")


def test_rotate_of_an_expired_credential_takes_a_later_expiry(api: Api, agent_id: str, all_programs: Programs) -> None:
    """Is listed as active with its past expiry, gets no token, and can be rotated to a later one only."""
    first = api.generate(agent_id, expiresAt=in_the_future(seconds=3))
    assert first.status_code == HTTPStatus.CREATED, first.text
    eventually("it has expired", lambda: is_refused(pair_of(first, all_programs)))
    told = first.json()
    (record,) = (one for one in api.credentials(agent_id).json()["data"] if one["credentialId"] == told["credentialId"])
    assert (record["status"], record["expiresAt"]) == ("active", told["expiresAt"])
    details = refused(api.rotate(agent_id, told["credentialId"]), HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")
    assert details.keys() == {"expiresAt"}
    again = api.rotate(agent_id, told["credentialId"], expiresAt=in_the_future())
    eventually("it is served again", lambda: is_served(pair_of(again, all_programs)))


def test_rotate_refuses_a_declared_hash(api: Api, home: Tenant, agent_id: str) -> None:
    """Else what is declared would bring its secret back."""
    home.create("AgentCredential", "declared", secretHash={"hash": "$2b$10$" + "a" * 53})
    declared = home.until("AgentCredential", "Provided", "declared")
    refused(api.rotate(agent_id, declared["metadata"]["uid"]), HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR")


@pytest.mark.parametrize("state", ["Suspended", "Decommissioned"])
def test_generate_is_for_active_agents(state: str, api: Api, home: Tenant) -> None:
    """Neither a new credential, nor another secret for one that it has."""
    agent_id = an_agent(home, f"agent-{state.lower()}")
    credential_id = generated(api, agent_id)["credentialId"]
    home.change("Agent", f"agent-{state.lower()}", state=state)
    eventually("it is known", lambda: api.ask("GET", f"/agents/{agent_id}").json()["status"] == state.lower())
    refused(api.generate(agent_id), HTTPStatus.FORBIDDEN, "AGENT_NOT_ACTIVE")
    refused(api.rotate(agent_id, credential_id), HTTPStatus.FORBIDDEN, "AGENT_NOT_ACTIVE")


def test_generate_for_an_agent_that_takes_no_secrets(api: Api, home: Tenant) -> None:
    """403, and nothing is left that could ever work."""
    workloads = [{"serviceAccountName": "screener"}]
    agent_id = an_agent(home, "secretless", workloads=workloads, credentialPolicy="WorkloadOnly")
    refused(api.generate(agent_id), HTTPStatus.FORBIDDEN, "FORBIDDEN")
    assert api.credentials(agent_id, status="active").json()["total"] == 0


def test_generate_stops_at_the_limit_of_the_organization(home: Tenant, objects: Objects, all_programs: Programs) -> None:
    """403; the one that there is works on, and can be rotated."""
    limits = {"credentialsPerAgent": 1}
    organization = a_resource("Organization", {"namespaces": [home.namespace], "limits": limits}, f"few-{home.namespace}")
    objects.create(organization)
    agent_id = an_agent(home, "with-one", organizationId=organization["metadata"]["name"])
    with as_agent(all_programs, objects.bearer) as administrator:
        eventually("it is known", lambda: administrator.credentials(agent_id).is_success)
        only = generated(administrator, agent_id)["credentialId"]
        refused(administrator.generate(agent_id), HTTPStatus.FORBIDDEN, "FORBIDDEN")
        assert [one["credentialId"] for one in administrator.credentials(agent_id, status="active").json()["data"]] == [only]
        assert administrator.rotate(agent_id, only).status_code == HTTPStatus.OK


WRONG_BODIES = {
    "an expiry in the past": ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    "an expiry without a zone": ({"expiresAt": "2099-01-01T00:00:00"}, "expiresAt"),
    "a day that does not exist": ({"expiresAt": "2099-02-30T00:00:00Z"}, "expiresAt"),
    "an expiry that is a number": ({"expiresAt": 4_102_444_800}, "expiresAt"),
    "an expiry that is null": ({"expiresAt": None}, "expiresAt"),
    "a year that no resource takes": ({"expiresAt": "3500-01-01T00:00:00Z"}, "expiresAt"),
    "an unknown field": ({"clientSecret": "sk_live_mine"}, "clientSecret"),
    "an array": ([], "body"),
}


@pytest.mark.parametrize("what", WRONG_BODIES)
@pytest.mark.parametrize("call", ["", "/{credential}/rotate"])
def test_body_that_is_not_valid(what: str, call: str, api: Api, agent_id: str, credential_id: str) -> None:
    """400, and the details name the field; never the value, which may be a secret."""
    body, field = WRONG_BODIES[what]
    path = f"/agents/{agent_id}/credentials" + call.format(credential=credential_id)
    answer = api.ask("POST", path, json=body)
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == {field}
    assert "sk_live_mine" not in answer.text


@pytest.mark.parametrize("query", [{"page": 0}, {"limit": 0}, {"limit": 101}, {"page": "x"}, {"status": "expired"}])
def test_query_that_is_not_valid(query: dict[str, Any], api: Api, agent_id: str) -> None:
    """400, and the details name the parameter."""
    answer = api.credentials(agent_id, **query)
    assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == query.keys()


@pytest.fixture(scope="module")
def credential_id(api: Api, agent_id: str) -> str:
    """A credential that nobody changes."""
    return str(generated(api, agent_id)["credentialId"])


@pytest.mark.parametrize(("wrong", "told"), [(NO_SUCH_ID, {"agentId": NO_SUCH_ID}), ("not-an-id", {})])
def test_credential_of_an_agent_that_does_not_exist(wrong: str, told: dict[str, str], api: Api, credential_id: str) -> None:
    """404 from each call. What is no id is not repeated: it may be a secret in the wrong place (SECURITY.md)."""
    for answer in (
        api.generate(wrong),
        api.credentials(wrong),
        api.rotate(wrong, credential_id),
        api.revoke(wrong, credential_id),
    ):
        assert refused(answer, HTTPStatus.NOT_FOUND, "AGENT_NOT_FOUND") == told


def test_credential_that_does_not_exist(api: Api, agent_id: str) -> None:
    """404 from both calls."""
    for answer in (api.rotate(agent_id, NO_SUCH_ID), api.revoke(agent_id, NO_SUCH_ID)):
        assert refused(answer, HTTPStatus.NOT_FOUND, "CREDENTIAL_NOT_FOUND") == {"credentialId": NO_SUCH_ID}


def test_credential_of_another_agent_is_not_found(api: Api, home: Tenant, credential_id: str) -> None:
    """Not even within one tenant."""
    other = an_agent(home, "other")
    refused(api.revoke(other, credential_id), HTTPStatus.NOT_FOUND, "CREDENTIAL_NOT_FOUND")
    refused(api.rotate(other, credential_id), HTTPStatus.NOT_FOUND, "CREDENTIAL_NOT_FOUND")


def test_decommissioning_revokes_all_credentials(api: Api, home: Tenant, all_programs: Programs) -> None:
    """Listed as revoked at once, refused by the token service, and revoked in the cluster."""
    agent_id = an_agent(home, "retired")
    first = api.generate(agent_id)
    assert api.ask("DELETE", f"/agents/{agent_id}").status_code == HTTPStatus.NO_CONTENT
    (record,) = api.credentials(agent_id).json()["data"]
    assert record["status"] == "revoked"
    assert TIME.fullmatch(record["revokedAt"])
    assert api.credentials(agent_id, status="active").json()["total"] == 0
    eventually("it is refused", lambda: is_refused(pair_of(first, all_programs)))
