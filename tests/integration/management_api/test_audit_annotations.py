"""Every change that is made over REST says who made it, in which request: on the resource and in the log."""

import json
import secrets
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.crd_schema import Manifest
from tests.support.management import AN_AGENT, Api, allow, an_agent, as_agent, service_account_token
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

CHANGES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "a credential is generated": ("POST", "/agents/{agent}/credentials", {}),
    "a credential is rotated": ("POST", "/agents/{agent}/credentials/{generated}/rotate", {}),
    "a credential is rotated in its Secret": ("POST", "/agents/{agent}/credentials/{delivered}/rotate", {}),
    "a credential is revoked": ("DELETE", "/agents/{agent}/credentials/{generated}", None),
    "an agent is registered": ("POST", "/agents", AN_AGENT),
    "an agent is updated": ("PATCH", "/agents/{agent}", {"status": "suspended"}),
    "an agent is decommissioned": ("DELETE", "/agents/{agent}", None),
}


class Known(NamedTuple):
    """Somebody who may change everything in the tenant's namespace, and their name."""

    api: Api
    name: str


@pytest.fixture(scope="module", params=["an agent", "a ServiceAccount"])
def caller(
    request: pytest.FixtureRequest, api: Api, home: Tenant, cluster: ControlPlane, objects: Objects, all_programs: Programs
) -> Iterator[Known]:
    """Of each kind."""
    if request.param == "an agent":
        yield Known(api, f"agent:{home.get('Agent', 'caller')['status']['agentId']}")
        return
    token = service_account_token(cluster, home.namespace, "pipeline")
    allow(objects, home.namespace, "pipeline", ["get", "list", "create", "patch"], ["agents", "agentcredentials"])
    with as_agent(all_programs, token) as pipeline:
        yield Known(pipeline, f"kubernetes:system:serviceaccount:{home.namespace}:pipeline")


@pytest.mark.parametrize("what", CHANGES)
def test_audit_annotations_name_caller_and_request_when(what: str, caller: Known, home: Tenant, all_programs: Programs) -> None:
    """Once in the annotations of what has changed, and in one line of the log."""
    method, path, body = CHANGES[what]
    request_id = secrets.token_hex(8)
    where = path.format(**ids_in(caller, home, f"agent-{request_id}"))
    answer = caller.api.ask(method, where, json=body, headers={"X-Request-Id": request_id})
    assert answer.is_success, answer.text
    (changed,) = changed_in(home, request_id)
    assert changed["metadata"]["annotations"]["idp.sentryagent.ai/changed-by"] == caller.name
    log = eventually("it is logged", all_programs.log(MANAGEMENT_API.name).read_text, lambda text: request_id in text)
    (line,) = (json.loads(one) for one in log.splitlines() if request_id in one)
    assert (line["caller"], line["status"]) == (caller.name, answer.status_code)


def ids_in(caller: Known, home: Tenant, name: str) -> dict[str, str]:
    """Of a new agent, and of two credentials that it has."""
    agent_id = an_agent(home, name)
    home.create("AgentCredential", name, agentRef={"name": name})
    delivered = home.until("AgentCredential", "Issued", name)
    eventually("it is known", lambda: caller.api.credentials(agent_id).json()["total"] == 1)
    generated = caller.api.generate(agent_id)
    assert generated.status_code == HTTPStatus.CREATED, generated.text
    ids = {"delivered": delivered["metadata"]["uid"], "generated": generated.json()["credentialId"]}
    return {"agent": agent_id, **ids}


def changed_in(home: Tenant, request_id: str) -> list[Manifest]:
    """What says that it was changed in this request."""
    resources = [one for kind in ("Agent", "AgentCredential") for one in home.objects.list(kind, home.namespace)]
    return [
        one for one in resources if one["metadata"].get("annotations", {}).get("idp.sentryagent.ai/request-id") == request_id
    ]
