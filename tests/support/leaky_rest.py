"""A life over REST in which secrets are sent to every wrong place: beside `leaky_life`, which does the same to the others."""

import base64
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx

from devcluster.programs import OPERATOR, Programs
from tests.support.management import AN_AGENT, Api
from tests.support.tenants import Tenant


def live_over_rest(api: Api, tenant: Tenant, programs: Programs) -> set[str]:
    """The secrets that were told: used, replaced, withdrawn and misplaced."""
    agent = {"namespace": tenant.namespace}
    agent_id = done(api.ask("POST", "/agents", json=AN_AGENT, params=agent), HTTPStatus.CREATED)["agentId"]
    first = done(api.generate(agent_id), HTTPStatus.CREATED)
    second = done(api.rotate(agent_id, first["credentialId"]), HTTPStatus.OK)
    other = done(api.generate(agent_id), HTTPStatus.CREATED)
    assert api.revoke(agent_id, other["credentialId"]).status_code == HTTPStatus.NO_CONTENT
    programs.stop(OPERATOR.name)
    assert api.rotate(agent_id, first["credentialId"]).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    programs.start(OPERATOR.name)
    for answer in misuses(api, agent_id, second["credentialId"], second["clientSecret"]):
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answer.text
    return {one["clientSecret"] for one in (first, second, other)}


def misuses(api: Api, agent_id: str, credential_id: str, secret: str) -> Iterator[httpx.Response]:
    """The answers to what people and their tools get wrong."""
    path = f"/agents/{agent_id}/credentials"
    basic = base64.b64encode(f"{agent_id}:{secret}".encode()).decode()
    for scheme in (f"Bearer {secret}", f"Basic {basic}", secret, f"Bearer {agent_id}.{secret}.x"):
        yield api.ask("GET", path, headers={"Authorization": scheme})
    yield api.ask("GET", f"/agents/{secret}")
    yield api.ask("GET", f"/{secret}/{secret}")
    yield api.ask("POST", f"{path}/{secret}/rotate", json={})
    yield api.ask("DELETE", f"/agents/{secret}/credentials/{secret}")
    yield api.ask("GET", path, params={"status": secret, secret: secret})
    yield api.ask("GET", path, headers={"X-Request-Id": secret, "User-Agent": secret, "Cookie": secret})
    yield api.ask(secret, path)
    for body in ({"expiresAt": secret}, {"clientSecret": secret}, {secret: secret}, secret, [secret]):
        yield api.ask("POST", f"{path}/{credential_id}/rotate", json=body)
    yield api.ask("POST", "/agents", json=AN_AGENT | {"agentType": secret})
    yield api.ask("POST", path, content=secret * 1000, headers={"Content-Type": "application/json"})
    yield api.ask("POST", path, content=secret, headers={"Content-Type": secret})


def done(answer: httpx.Response, status: HTTPStatus) -> dict[str, Any]:
    """What was answered."""
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told
