"""Which tokens of agents the management API takes: those that the token service calls active and that are meant for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from devcluster.programs import Programs
from tests.support.management import SCOPES, Api, access_token, an_agent, as_agent
from tests.support.refusals import refused
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import token


def is_refused(api: Api) -> bool:
    """Whether the answer is 401 now."""
    return api.ask("GET", "/agents").status_code == HTTPStatus.UNAUTHORIZED


@pytest.fixture
def caller(tenant: Tenant, all_programs: Programs) -> Api:
    """An agent of a tenant of its own, which is let in."""
    api = as_agent(all_programs, access_token(tenant))
    assert api.ask("GET", "/agents").status_code == HTTPStatus.OK
    return api


ENDS: dict[str, dict[str, Any]] = {
    "is suspended": {"state": "Suspended"},
    "is decommissioned": {"state": "Decommissioned"},
    "wants its tokens to be void": {"tokensValidAfter": datetime.now(UTC).replace(year=2099).isoformat()},
    "claims an organization that is not there": {"organizationId": "there-is-no-such-organization"},
}


@pytest.mark.parametrize("what", ENDS)
def test_token_is_refused_of_an_agent_that(what: str, caller: Api, tenant: Tenant) -> None:
    """Is not let in any more, though its token has not expired."""
    tenant.change("Agent", "caller", **ENDS[what])
    eventually("it is refused", lambda: is_refused(caller))


def test_token_that_was_revoked_is_refused(caller: Api, tenant: Tenant, all_programs: Programs) -> None:
    """At the token service; another one of the same agent is let in."""
    pair = tenant.pair("caller")
    bearer = caller.client.headers["Authorization"].removeprefix("Bearer ")
    credentials = (pair.client_id, pair.client_secret)
    httpx.post(f"{all_programs.token_url}/token/revoke", auth=credentials, data={"token": bearer}).raise_for_status()
    eventually("it is refused", lambda: is_refused(caller))
    assert as_agent(all_programs, token(pair)).ask("GET", "/agents").status_code == HTTPStatus.OK


def test_token_of_a_deleted_agent_is_refused(caller: Api, tenant: Tenant) -> None:
    """Is nobody any more."""
    tenant.remove("Agent", "caller")
    eventually("it is refused", lambda: is_refused(caller))


def test_token_for_another_audience_is_refused(tenant: Tenant, all_programs: Programs) -> None:
    """What a resource server was sent does not work here; with the issuer among its audiences it does."""
    audiences = ["https://resumes.example", all_programs.token_url]
    bearer = access_token(tenant, audiences=audiences)
    assert as_agent(all_programs, bearer).ask("GET", "/agents").status_code == HTTPStatus.OK
    narrowed = token(tenant.pair("caller"), resource="https://resumes.example")
    refused(as_agent(all_programs, narrowed).ask("GET", "/agents"), HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")


FORGERIES: dict[str, Callable[[str], str]] = {
    "another signature": lambda jwt: jwt[:-8] + "AAAAAAAA",
    "no signature": lambda jwt: jwt.rpartition(".")[0] + ".",
    "other claims": lambda jwt: ".".join([jwt.split(".")[0], jwt.split(".")[1][:-4] + "AAAA", jwt.split(".")[2]]),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_token_that_is_forged_is_refused(what: str, caller: Api, all_programs: Programs) -> None:
    """401, like any other that is not good."""
    bearer = caller.client.headers["Authorization"].removeprefix("Bearer ")
    forged = as_agent(all_programs, FORGERIES[what](bearer))
    refused(forged.ask("GET", "/agents"), HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")


def test_scope_to_write_includes_the_scope_to_read(tenant: Tenant, all_programs: Programs) -> None:
    """One scope is enough; less than an agent has may be asked for."""
    agent_id = an_agent(tenant)
    access_token(tenant, scopes=SCOPES)
    pair = tenant.pair("caller")
    writer, reader = (as_agent(all_programs, token(pair, scope=scope)) for scope in ("agents:write", "agents:read"))
    eventually("it is known", lambda: writer.ask("GET", f"/agents/{agent_id}").status_code == HTTPStatus.OK)
    assert reader.credentials(agent_id).status_code == HTTPStatus.OK
    refused(reader.generate(agent_id), HTTPStatus.FORBIDDEN, "FORBIDDEN")


def test_calls_give_no_agent_more_rights(tenant: Tenant, all_programs: Programs) -> None:
    """An agent that may write finds no way to change scopes or audiences: its own, another's, or a new one's."""
    api = as_agent(all_programs, access_token(tenant, scopes=["agents:write"]))
    own = next(iter(api.ask("GET", "/agents").json()["data"]))["agentId"]
    for field in ("scopes", "audiences", "workloads", "credentialPolicy", "accessTokenTTLSeconds", "tokensValidAfter", "spec"):
        answer = api.ask("PATCH", f"/agents/{own}", json={field: ["agents:read"]})
        assert refused(answer, HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR").keys() == {field}
    assert tenant.get("Agent", "caller")["spec"]["scopes"] == ["agents:write"]
