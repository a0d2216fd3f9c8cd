"""Client assertions: a client without a secret presents the token of a ServiceAccount that its agent names (RFC 7523)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from structlog.testing import capture_logs

from agentidp.domain.resources import Agent, AgentState, CredentialPolicy, OrganizationLimits, Workload
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.client_assertions import Workload as AccountName
from agentidp.kube.errors import ApiError, Unreachable
from tests.support.assertions import a_cluster_key, asserted, bound_to, claims_of, signed
from tests.support.clocks import ManualClock
from tests.support.token_services import GRANT, SECRET, ServedAlone, basic, signing_keys, the_credential
from tests.support.worlds import AGENT_ID, HOUR, a_registered_agent, a_uid, an_organization
from token_service.authentication.service_accounts import TooManyReads
from token_service.http.request import RawRequest

SCREENER = (Workload(service_account_name="screener"),)
WORKLOAD_ONLY: dict[str, Any] = {"workloads": SCREENER, "credential_policy": CredentialPolicy.WORKLOAD_ONLY}
UNIFORM = {"error": "invalid_client", "error_description": "Client authentication failed."}


def an_agent_with_workloads(number: int = 1, **agent: Any) -> Agent:
    """An agent that names the ServiceAccount "screener"."""
    return a_registered_agent(a_uid(number), **{"name": f"agent-{number}", "uid": a_uid(number), "workloads": SCREENER} | agent)


@pytest.fixture
def clock() -> ManualClock:
    """Right when the test begins; it stands still."""
    return ManualClock(time.time())


@pytest.fixture
def secretless(empty: ServedAlone) -> ServedAlone:
    """A service that knows one agent, which names a workload and has no credential."""
    empty.declare(a_registered_agent(scopes=("resume:read", "resume:write"), workloads=SCREENER))
    return empty


def claims_in(answer: httpx.Response) -> dict[str, Any]:
    """What an issued token says."""
    claims: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return claims


@pytest.mark.parametrize("client_id", [AGENT_ID, None], ids=["with its client_id", "without"])
async def test_client_assertion_gets_a_token(secretless: ServedAlone, client_id: str | None) -> None:
    """With what it asks for, and without a credential_id: there is none."""
    form = GRANT | asserted(signed(claims_of()), client_id)
    claims = claims_in(await secretless.token(form | {"scope": "resume:read"}))
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (AGENT_ID, AGENT_ID, "resume:read")
    assert "credential_id" not in claims


async def test_client_assertion_may_be_used_again(secretless: ServedAlone) -> None:
    """A pod has one for most of an hour, so nothing is made of a `jti` (RFC 7523, section 3, item 7)."""
    form = GRANT | asserted(signed(claims_of()))
    assert len({(await secretless.token(form)).json()["access_token"] for _ in range(3)}) == 3
    assert (secretless.keys_read, len(secretless.service_accounts_read)) == (1, 1)


async def test_client_assertion_is_verified_once_a_minute(secretless: ServedAlone, clock: ManualClock) -> None:
    """In between the same request is cached, as one with a secret is, but not beyond the assertion's end."""
    now = clock.now
    for lives, recalled in ((3600, 60), (20, 20)):
        form = GRANT | asserted(signed(claims_of(exp=int(now) + lives)))
        sent = RawRequest(httpx.Request("POST", "http://a", data=form).content)
        assert (await secretless.token(form)).status_code == 200
        for later, stands in ((recalled - 2, True), (recalled + 2, False)):
            clock.now = now + later
            assert (secretless.service.request_cache.find(sent) is not None) is stands
        clock.now = now


async def test_client_assertion_serves_beside_client_secrets(served: ServedAlone) -> None:
    """While a team moves from the one to the other; each token tells how it was got."""
    served.declare(a_registered_agent(workloads=SCREENER))
    by_secret, by_workload = await served.token(), await served.token(GRANT | asserted(signed(claims_of())))
    assert "credential_id" in claims_in(by_secret)
    assert "credential_id" not in claims_in(by_workload)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a ServiceAccount that no agent names": (claims_of(service_account="other"), "WorkloadNotNamed"),
    "one of the same name in another namespace": (claims_of("sales"), "WorkloadNotNamed"),
    "one whose namespace and name are split elsewhere": (claims_of("talent:screener", "x"), "AssertionOfNoWorkload"),
    "a token for the API server": (
        claims_of(aud=["https://kubernetes.default.svc.cluster.local"]),
        "AssertionForAnotherAudience",
    ),
    "a token that has expired": (claims_of(exp=int(time.time()) - 60), "AssertionExpired"),
}


@pytest.mark.parametrize(("claims", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("client_id", [AGENT_ID, None], ids=["with client_id", "without"])
async def test_client_assertion_is_rejected_for(
    secretless: ServedAlone, claims: dict[str, Any], reason: str, client_id: str | None
) -> None:
    """All alike to the caller, each with its reason in the log."""
    with capture_logs() as logs:
        answer = await secretless.token(GRANT | asserted(signed(claims), client_id))
    assert (answer.status_code, answer.json()) == (401, UNIFORM)
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert [one["reason"] for one in logs] == [reason]


async def test_client_assertion_failure_is_logged_with_its_workload(secretless: ServedAlone) -> None:
    """Once it has shown that it is; and never what it showed."""
    with capture_logs() as logs:
        assertion = signed(claims_of("sales"))
        await secretless.token(GRANT | asserted(assertion, "not an id"))
        await secretless.token(GRANT | asserted(signed(claims_of("sales"), a_cluster_key()), AGENT_ID))
    assert [(one["client_id"], one.get("service_account")) for one in logs] == [(None, "sales/screener"), (AGENT_ID, None)]
    assert assertion.rsplit(".", 1)[1] not in str(logs)


async def test_client_assertion_of_several_agents_needs_a_client_id(empty: ServedAlone) -> None:
    """Without a client_id nobody guesses; whatever becomes of the others."""
    empty.declare(an_agent_with_workloads(1), an_agent_with_workloads(2, state=AgentState.SUSPENDED))
    form = GRANT | asserted(signed(claims_of()))
    with capture_logs() as logs:
        assert (await empty.token(form)).json() == UNIFORM
    assert [one["reason"] for one in logs] == ["WorkloadAmbiguous"]
    assert claims_in(await empty.token(form | {"client_id": a_uid(1)}))["sub"] == a_uid(1)
    assert (await empty.token(form | {"client_id": a_uid(2)})).json() == UNIFORM


async def test_client_assertion_counts_only_in_its_own_namespace(secretless: ServedAlone) -> None:
    """The name means the agent's own namespace; and its claim does not make the name ambiguous."""
    secretless.declare(an_agent_with_workloads(2, namespace="sales"))
    form = GRANT | asserted(signed(claims_of()))
    assert claims_in(await secretless.token(form))["sub"] == AGENT_ID
    assert (await secretless.token(form | {"client_id": a_uid(2)})).json() == UNIFORM


async def test_client_assertion_counts_for_no_agent_that_has_lost_its_id(secretless: ServedAlone) -> None:
    """Two carry one id: the older has it, and the other's workloads are not its."""
    thief = (Workload(service_account_name="thief"),)
    secretless.declare(a_registered_agent(AGENT_ID, name="younger", uid=a_uid(9), age=HOUR, workloads=thief))
    assert (await secretless.token(GRANT | asserted(signed(claims_of(service_account="thief")), AGENT_ID))).json() == UNIFORM
    assert (await secretless.token(GRANT | asserted(signed(claims_of())))).status_code == 200


SCREENERS_PLACE = AccountName("talent", "screener")
OTHERS: dict[str, str | None] = {"another ServiceAccount": a_uid(7), "no ServiceAccount": None}


@pytest.mark.parametrize("uid", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("client_id", [AGENT_ID, None], ids=["with client_id", "without"])
async def test_client_assertion_from_before_is_rejected_where_its_name_has(
    secretless: ServedAlone, uid: str | None, client_id: str | None
) -> None:
    """Uniformly, with the reason in the log; and the token of the one that has the name is served."""
    secretless.service_accounts[SCREENERS_PLACE] = uid
    with capture_logs() as logs:
        answer = await secretless.token(GRANT | asserted(signed(claims_of()), client_id))
    assert (answer.status_code, answer.json()) == (401, UNIFORM)
    assert [(one["reason"], one["service_account"]) for one in logs] == [("WorkloadReplaced", "talent/screener")]
    if uid:
        of_the_new_one = claims_of(**{"kubernetes.io": bound_to(uid=uid)})
        assert (await secretless.token(GRANT | asserted(signed(of_the_new_one), client_id))).status_code == 200


async def test_client_assertion_from_before_counts_for_no_new_agent(secretless: ServedAlone) -> None:
    """Whether it was served a moment ago: another Agent object names another ServiceAccount."""
    form = GRANT | asserted(signed(claims_of()))
    assert (await secretless.token(form)).status_code == 200
    secretless.service_accounts[SCREENERS_PLACE] = a_uid(7)
    secretless.declare(a_registered_agent(workloads=SCREENER, uid=a_uid(8)))
    assert (await secretless.token(form)).json() == UNIFORM


async def test_client_assertion_reads_only_service_accounts_that_an_agent_names(secretless: ServedAlone) -> None:
    """Whoever has any token of the cluster causes no request to the API server."""
    for claims in (claims_of("sales"), claims_of(service_account="other"), claims_of(**{"kubernetes.io": None})):
        assert (await secretless.token(GRANT | asserted(signed(claims)))).json() == UNIFORM
    assert secretless.service_accounts_read == []


async def test_client_assertion_notices_a_suspension_while_the_service_account_is_read(secretless: ServedAlone) -> None:
    """The agent is judged when its token may be issued."""

    async def suspend() -> None:
        secretless.declare(a_registered_agent(workloads=SCREENER, state=AgentState.SUSPENDED))

    secretless.answered = suspend
    assert (await secretless.token(GRANT | asserted(signed(claims_of())))).json() == UNIFORM


UNTOLD: dict[str, tuple[ApiError, int, str]] = {
    "the API server is away": (Unreachable("away"), 503, "temporarily_unavailable"),
    "its namespace has had its reads": (TooManyReads(1.5), 429, "temporarily_unavailable"),
}


@pytest.mark.parametrize(("trouble", "status", "error"), UNTOLD.values(), ids=UNTOLD)
async def test_client_assertion_is_told_to_come_back_where(
    secretless: ServedAlone, trouble: ApiError, status: int, error: str
) -> None:
    """Nobody is taken for another while that cannot be told."""
    await secretless.service.issuer_keys.refresh()
    secretless.api_server_trouble = trouble
    answer = await secretless.token(GRANT | asserted(signed(claims_of())))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert int(answer.headers["retry-after"]) >= 1


ENDS: dict[str, dict[str, Any]] = {
    "its agent is suspended": {"state": AgentState.SUSPENDED, "workloads": SCREENER},
    "its agent is decommissioned": {"state": AgentState.DECOMMISSIONED, "workloads": SCREENER},
    "its agent is not ready": {"reason": Reason.AGENT_ID_CONFLICT, "workloads": SCREENER},
    "its agent claims an organization that does not admit it": {"organization_id": "acme", "workloads": SCREENER},
    "its agent names it no longer": {},
}


@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS)
async def test_client_assertion_is_rejected_at_once_when(secretless: ServedAlone, change: dict[str, Any]) -> None:
    """The same assertion that was accepted just now."""
    form = GRANT | asserted(signed(claims_of()))
    assert (await secretless.token(form)).status_code == 200
    secretless.declare(a_registered_agent(**change))
    assert (await secretless.token(form)).json() == UNIFORM


async def test_client_assertion_with_a_client_id_is_read_live_before_it_is_rejected(secretless: ServedAlone) -> None:
    """A pod may be quicker than the watch."""
    secretless.declare_unseen(an_agent_with_workloads(2))
    form = GRANT | asserted(signed(claims_of()), a_uid(2))
    assert claims_in(await secretless.token(form))["sub"] == a_uid(2)
    secretless.api_server_trouble = Unreachable("away")
    assert (await secretless.token(GRANT | asserted(signed(claims_of()), a_uid(3)))).status_code == 503


async def test_client_assertion_notices_a_suspension_during_a_live_read(empty: ServedAlone) -> None:
    """The API server may have been asked before."""

    async def suspend() -> None:
        empty.declare(an_agent_with_workloads(2, state=AgentState.SUSPENDED))

    empty.declare_unseen(an_agent_with_workloads(2))
    empty.answered = suspend
    assert (await empty.token(GRANT | asserted(signed(claims_of()), a_uid(2)))).json() == UNIFORM


async def test_client_assertion_keys_at_hand_serve_while_the_api_server_is_away(secretless: ServedAlone) -> None:
    """Only what names an unknown key has to wait for it."""
    await secretless.token(GRANT | asserted(signed(claims_of())))
    secretless.api_server_trouble = Unreachable("away")
    assert (await secretless.token(GRANT | asserted(signed(claims_of())))).status_code == 200
    answer = await secretless.token(GRANT | asserted(signed(claims_of(), a_cluster_key())))
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_client_assertion_only_policy_rejects_secrets_at_once(served: ServedAlone) -> None:
    """By the spec alone, also one that was accepted just now; and takes them again when it is lifted."""
    assert (await served.token()).status_code == 200
    served.declare(a_registered_agent(**WORKLOAD_ONLY))
    with capture_logs() as logs:
        answer = await served.token()
    assert (answer.status_code, answer.json()) == (401, UNIFORM)
    assert [one["reason"] for one in logs] == ["SecretsNotAllowed"]
    assert (await served.token(GRANT | asserted(signed(claims_of())))).status_code == 200
    served.declare(a_registered_agent())
    assert (await served.token()).status_code == 200


async def test_client_assertion_only_policy_runs_no_bcrypt(empty: ServedAlone) -> None:
    """Nothing that it could say would help."""
    checked: list[Any] = []

    def matches(*check: Any) -> bool:
        checked.append(check)
        return True

    empty.bcrypt = matches
    empty.declare(a_registered_agent(**WORKLOAD_ONLY), the_credential())
    assert (await empty.token()).json() == UNIFORM
    assert checked == []


ASSERTION = asserted(signed(claims_of()), AGENT_ID)
MALFORMED: dict[str, tuple[dict[str, Any], dict[str, str], int, str]] = {
    "an assertion and a secret": (ASSERTION | {"client_secret": SECRET}, {}, 400, "invalid_request"),
    "an assertion and HTTP Basic": (ASSERTION, basic(AGENT_ID, SECRET), 400, "invalid_request"),
    "an assertion without its type": (ASSERTION | {"client_assertion_type": ""}, {}, 400, "invalid_request"),
    "a type without its assertion": (ASSERTION | {"client_assertion": ""}, {}, 400, "invalid_request"),
    "an assertion twice": (ASSERTION | {"client_assertion": ["a", "b"]}, {}, 400, "invalid_request"),
    "a type twice": (ASSERTION | {"client_assertion_type": ["a", "b"]}, {}, 400, "invalid_request"),
    "another type": (
        ASSERTION | {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {},
        401,
        "invalid_client",
    ),
    "the type in other letters": (
        ASSERTION | {"client_assertion_type": ASSERTION["client_assertion_type"].upper()},
        {},
        401,
        "invalid_client",
    ),
    "another's client_id": (ASSERTION | {"client_id": a_uid(5)}, {}, 401, "invalid_client"),
}


@pytest.mark.parametrize(("form", "headers", "status", "error"), MALFORMED.values(), ids=MALFORMED)
async def test_client_assertion_request_is_rejected_for(
    secretless: ServedAlone, form: dict[str, Any], headers: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749, sections 2.3 and 5.2; RFC 7521, section 4.2."""
    answer = await secretless.token(GRANT | form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_client_assertion_introspects_and_revokes(secretless: ServedAlone) -> None:
    """Whatever authenticates a client does so at every endpoint."""
    token = (await secretless.token(GRANT | ASSERTION)).json()["access_token"]
    form = ASSERTION | {"token": token}
    told = (await secretless.http.post("/api/v1/token/introspect", data=form)).json()
    assert (told["active"], told["client_id"], "credential_id" in told) == (True, AGENT_ID, False)
    assert (await secretless.http.post("/api/v1/token/revoke", data=form)).status_code == 200
    assert (await secretless.http.post("/api/v1/token/introspect", data=form)).json() == {"active": False}


async def test_client_assertion_requests_count_against_the_rate() -> None:
    """The agent's own limit, and its organization's tokens a day."""
    alone = ServedAlone(client_requests_per_second=0.001, client_burst=2)
    alone.keys.put(signing_keys())
    alone.declare(a_registered_agent(workloads=SCREENER))
    answers = [await alone.token(GRANT | ASSERTION) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    await alone.close()


async def test_client_assertion_tokens_count_for_the_organization(secretless: ServedAlone) -> None:
    """`spec.limits.tokensPerDay`."""
    limited = an_organization(limits=OrganizationLimits(tokens_per_day=1))
    secretless.declare(a_registered_agent(workloads=SCREENER, organization_id="acme"), limited)
    answers = [await secretless.token(GRANT | ASSERTION) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_client_assertion_tokens_end_with_tokens_valid_after(secretless: ServedAlone) -> None:
    """As it does all others of the agent."""
    token = (await secretless.token(GRANT | ASSERTION)).json()["access_token"]
    secretless.declare(a_registered_agent(workloads=SCREENER, tokens_valid_after=datetime.now(UTC) + timedelta(seconds=1)))
    told = await secretless.http.post("/api/v1/token/introspect", data=ASSERTION | {"token": token})
    assert told.json() == {"active": False}
