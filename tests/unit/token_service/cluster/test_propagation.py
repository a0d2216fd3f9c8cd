"""Propagation: what the management API is told of this replica, and that nobody else is told anything."""

import asyncio
from typing import Any

import httpx
import pytest

from agentidp.domain.identity.propagation import APPLIED_PATH, AUDIENCE
from agentidp.domain.resources import AgentState, CredentialState
from agentidp.domain.secrets.last_used import fingerprint
from agentidp.kube.errors import Unreachable
from tests.support.assertions import a_cluster_key, claims_of, signed
from tests.support.token_services import HASH, ServedAlone, the_credential, the_hash
from tests.support.worlds import CREDENTIAL_ID, DAY, NOW, a_fake_hash, a_registered_agent

IN_FORCE = {"serving": True, "caught_up": True, "accepts": [fingerprint(HASH)]}


def authorized(**changed: Any) -> dict[str, str]:
    """As the management API, unless the claims are changed."""
    claims = claims_of("agentidp-system", "agentidp-management-api", **{"aud": [AUDIENCE]} | changed)
    return {"Authorization": f"Bearer {signed(claims)}"}


async def asked(served: ServedAlone, version: int = 1, seconds: float = 0.0, **request: Any) -> httpx.Response:
    """The answer to the question whether this version is in force."""
    params: dict[str, Any] = {"credential": CREDENTIAL_ID, "version": version, "seconds": seconds}
    return await served.http.get(APPLIED_PATH, params=params, **{"headers": authorized()} | request)


async def test_propagation_of_a_version_that_the_watch_has_reported(served: ServedAlone) -> None:
    """And the hashes that accept a secret are told by their fingerprints."""
    served.credentials.progress.reach(7)
    assert (await asked(served, 7)).json() == [IN_FORCE]
    assert (await asked(served, 8)).json() == [IN_FORCE | {"caught_up": False}]


async def test_propagation_waits_for_the_watch(served: ServedAlone) -> None:
    """And answers as soon as the change is there."""

    def change() -> None:
        served.declare(the_credential(the_hash(hash=a_fake_hash(b"new"))))
        served.credentials.progress.reach(7)

    asyncio.get_running_loop().call_later(0.05, change)
    told = (await asyncio.wait_for(asked(served, 7, 10), 9)).json()
    assert told == [IN_FORCE | {"accepts": [fingerprint(a_fake_hash(b"new"))]}]


ENDED = {
    "revoked": the_credential(state=CredentialState.REVOKED),
    "expired": the_credential(expires_at=NOW - DAY),
}


@pytest.mark.parametrize("how", ENDED)
async def test_propagation_of_a_credential_that_has_ended(how: str, served: ServedAlone) -> None:
    """So that a revocation can be confirmed as well."""
    served.declare(ENDED[how])
    assert (await asked(served, 0)).json() == [IN_FORCE | {"accepts": []}]


async def test_propagation_waits_for_an_agent_that_the_watch_has_not_reported(empty: ServedAlone) -> None:
    """It has a watch of its own, and without the agent its credential accepts nothing."""
    empty.declare(the_credential())
    assert (await asked(empty, 0)).json() == [IN_FORCE | {"caught_up": False}]
    asyncio.get_running_loop().call_later(0.05, empty.declare, a_registered_agent(state=AgentState.SUSPENDED))
    assert (await asyncio.wait_for(asked(empty, 0, 10), 9)).json() == [IN_FORCE]


async def test_propagation_holds_back_a_replica_that_has_not_listed(served: ServedAlone) -> None:
    """There are no tokens until then, however the list turns out: it may be older than the question."""
    served.credentials.listed.clear()
    assert (await asked(served, 7)).json() == [{"serving": False, "caught_up": False, "accepts": []}]
    served.credentials.reach(6)
    assert (await served.http.get("/readyz")).json()["missing"] == ["agentcredentials are not listed yet"]
    served.credentials.reach(7)
    assert (await served.http.get("/readyz")).is_success


STRANGERS = {
    "nobody": {},
    "another ServiceAccount": authorized(sub="system:serviceaccount:agentidp-system:agentidp-token-service"),
    "a ServiceAccount of that name elsewhere": authorized(sub="system:serviceaccount:talent:agentidp-management-api"),
    "a token for the API server": authorized(aud=["https://kubernetes.default.svc"]),
    "a token for both": authorized(aud=[AUDIENCE, "https://kubernetes.default.svc"]),
    "a token that is over": authorized(exp=1),
    "a key that the cluster does not have": {
        "Authorization": "Bearer " + signed(claims_of("agentidp-system", "agentidp-management-api"), a_cluster_key())
    },
    "no JWT": {"Authorization": "Bearer agentidp-management-api"},
}


@pytest.mark.parametrize("who", STRANGERS)
async def test_propagation_is_reported_to_nobody_else(who: str, served: ServedAlone) -> None:
    """All alike."""
    answer = await asked(served, headers=STRANGERS[who])
    assert (answer.status_code, answer.content, answer.headers["www-authenticate"]) == (401, b"", "Bearer")


async def test_propagation_without_the_clusters_keys_may_be_asked_again(served: ServedAlone) -> None:
    """That is not a refusal: it may be asked again."""
    served.api_server_trouble = Unreachable("away")
    assert (await asked(served)).status_code == 503


@pytest.mark.parametrize("wrong", [{"version": -1}, {"version": 2**63}, {"seconds": 11}, {"credential": "x" * 65}])
async def test_propagation_query_has_bounds(wrong: dict[str, Any], served: ServedAlone) -> None:
    """No wait without end."""
    params: dict[str, Any] = {"credential": CREDENTIAL_ID, "version": 1, "seconds": 0} | wrong
    assert (await served.http.get(APPLIED_PATH, params=params, headers=authorized())).status_code == 422
