"""POST /token/introspect: which tokens are active, and who may ask (RFC 7662)."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentidp.cache.revocations import RevokedToken
from agentidp.domain.identity.clients import client_agent
from agentidp.domain.resources import AgentState, CredentialState, ObjectRef
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.access_tokens import prepare_claims
from agentidp.domain.tokens.grants import Grant
from agentidp.kube.errors import Unreachable
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, ISSUER, OTHER_SECRET, ServedAlone, basic, signing_keys, the_credential
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, a_registered_agent, a_uid, an_organization
from token_service.http.presented_credentials import JWT_BEARER

READER_ID = a_uid(300)
INACTIVE = {"active": False}


def a_token(
    served: ServedAlone,
    *,
    client_id: str = AGENT_ID,
    scope: str = "resume:read",
    issued_at: float = 0,
    audience: tuple[str, ...] = (ISSUER,),
    organization_id: str | None = None,
) -> str:
    """A token as it is issued, whatever the index says."""
    writer = served.keys.writer()
    assert writer
    agent = client_agent(a_registered_agent(client_id, organization_id=organization_id))
    begun = prepare_claims(ISSUER, agent, CREDENTIAL_ID, Grant(scope, audience))
    return writer.write(begun, int(issued_at or time.time()), a_uid(7)).decode()


async def introspect(served: ServedAlone, token: str, **form: str) -> dict[str, Any]:
    """What is told of a token, to its own client unless told otherwise."""
    answer = await served.http.post("/token/introspect", data={"token": token} | (form or CLIENT))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


async def test_introspection_has_the_claims_of_a_token(served: ServedAlone) -> None:
    """RFC 7662, section 2.2: what its claims say."""
    issued = (await served.token()).json()["access_token"]
    told = await introspect(served, issued)
    assert told.pop("exp") - told.pop("iat") == 3600
    assert len(told.pop("jti")) == 36
    assert told == {
        "active": True,
        "iss": ISSUER,
        "sub": AGENT_ID,
        "client_id": AGENT_ID,
        "aud": ISSUER,
        "scope": "resume:read resume:write",
        "token_type": "Bearer",
        "credential_id": CREDENTIAL_ID,
    }


SINCE: dict[str, list[Any]] = {
    "its agent was suspended": [a_registered_agent(state=AgentState.SUSPENDED)],
    "its agent was decommissioned": [a_registered_agent(reason=Reason.AGENT_DECOMMISSIONED)],
    "its agent's organization does not admit it": [
        a_registered_agent(organization_id="acme"),
        an_organization(admits=("other",)),
    ],
    "all tokens were declared void": [a_registered_agent(tokens_valid_after=datetime.now(UTC) + timedelta(days=1))],
}


@pytest.mark.parametrize("since", SINCE.values(), ids=SINCE)
async def test_introspection_of_a_token_is_inactive_when(served: ServedAlone, since: list[Any]) -> None:
    """And nothing else is said of it. Whoever asks is another client."""
    reader = a_token(served, client_id=READER_ID, scope="tokens:read")
    served.declare(a_registered_agent(READER_ID, name="reader", uid=READER_ID))
    token = a_token(served)
    headers = {"Authorization": f"Bearer {reader}"}
    assert (await served.http.post("/token/introspect", data={"token": token}, headers=headers)).json()["active"]
    served.declare(*since)
    assert (await served.http.post("/token/introspect", data={"token": token}, headers=headers)).json() == INACTIVE


OF_ACME = a_registered_agent(organization_id="acme")
LEFT = {"for another one": "other", "for none": None}


@pytest.mark.parametrize("joined", LEFT.values(), ids=LEFT)
async def test_introspection_of_a_token_of_an_organization_that_its_agent_has_left(
    served: ServedAlone, joined: str | None
) -> None:
    """It was made anew under its id. Whoever relies on its claim `organization_id` would take the agent for a member."""
    reader = {"Authorization": f"Bearer {a_token(served, client_id=READER_ID, scope='tokens:read')}"}
    served.declare(a_registered_agent(READER_ID, name="reader", uid=READER_ID))
    served.declare(OF_ACME, an_organization(), an_organization("other"))
    token = {"token": a_token(served, organization_id="acme")}
    assert (await served.http.post("/token/introspect", data=token, headers=reader)).json()["active"]
    served.declare(a_registered_agent(organization_id=joined))
    assert (await served.http.post("/token/introspect", data=token, headers=reader)).json() == INACTIVE


async def test_introspection_of_a_token_of_an_organization_that_the_watch_has_not_reported(served: ServedAlone) -> None:
    """Another replica may have issued it."""
    served.declare(an_organization())
    served.declare_unseen(OF_ACME)
    assert (await introspect(served, a_token(served, organization_id="acme")))["active"]


async def test_introspection_of_a_token_whose_credential_has_ended(served: ServedAlone) -> None:
    """Revoking a credential ends no token; revoking the token or its agent's tokens does."""
    token = (await served.token()).json()["access_token"]
    served.declare(the_credential(state=CredentialState.REVOKED), the_credential(uid=a_uid(8)))
    reader = {"Authorization": f"Bearer {a_token(served, scope='tokens:read')}"}
    assert (await served.http.post("/token/introspect", data={"token": token}, headers=reader)).json()["active"]


async def test_introspection_of_what_is_no_valid_token(served: ServedAlone) -> None:
    """Expired, revoked, of another issuer, or nothing at all."""
    served.cache.revocations.put(RevokedToken(a_uid(7)))
    assert await introspect(served, a_token(served)) == INACTIVE
    served.cache.revocations.remove(ObjectRef(name=a_uid(7)))
    assert await introspect(served, a_token(served, issued_at=time.time() - 3600)) == INACTIVE
    assert await introspect(served, a_token(served, client_id="agentidp-operator")) == INACTIVE
    assert await introspect(served, "nothing") == INACTIVE
    foreign = ServedAlone()
    foreign.keys.put(signing_keys())
    assert await introspect(served, a_token(foreign)) == INACTIVE
    await foreign.close()


async def test_introspection_of_a_token_from_before_tokens_valid_after(served: ServedAlone) -> None:
    """However soon it is asked for: `iat` has no fractions, so the next one waits for the next second."""
    before = (await served.token()).json()["access_token"]
    served.declare(a_registered_agent(tokens_valid_after=datetime.now(UTC)))
    after = (await served.token()).json()["access_token"]
    assert await introspect(served, before) == INACTIVE
    assert (await introspect(served, after))["active"]


async def test_introspection_of_a_token_of_an_agent_that_the_watch_has_not_reported(empty: ServedAlone) -> None:
    """Another replica may have issued it."""
    empty.declare_unseen(a_registered_agent(), the_credential())
    reader = {"Authorization": f"Bearer {a_token(empty, scope='tokens:read')}"}
    answer = await empty.http.post("/token/introspect", data={"token": a_token(empty)}, headers=reader)
    assert answer.json()["active"]
    empty.api_server_trouble = Unreachable("away")
    answer = await empty.http.post("/token/introspect", data={"token": a_token(empty)}, headers=reader)
    assert answer.status_code == 503


MEANWHILE: dict[str, Callable[[ServedAlone, ManualClock], object]] = {
    "was revoked": lambda one, _: one.cache.revocations.put(RevokedToken(a_uid(7), AGENT_ID)),
    "has expired": lambda _, clock: setattr(clock, "now", clock.now + 7200),
}


class TestMeanwhile:
    """With a clock that the test moves."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Right when the test begins."""
        return ManualClock(time.time())

    @pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
    async def test_introspection_is_inactive_where_during_the_live_read_the_token(
        self, empty: ServedAlone, clock: ManualClock, happens: Callable[[ServedAlone, ManualClock], object]
    ) -> None:
        """What was judged before is judged again."""
        empty.declare(a_registered_agent(READER_ID, name="reader", uid=READER_ID))
        empty.declare_unseen(a_registered_agent(), the_credential())
        reader = {"Authorization": f"Bearer {a_token(empty, client_id=READER_ID, scope='tokens:read')}"}
        token = a_token(empty)

        async def meanwhile() -> None:
            happens(empty, clock)

        empty.answered = meanwhile
        answer = await empty.http.post("/token/introspect", data={"token": token}, headers=reader)
        assert empty.looked_up == [AGENT_ID]
        assert answer.json() == INACTIVE


async def test_token_notices_a_suspension_while_it_waits_for_tokens_valid_after(served: ServedAlone) -> None:
    """What was judged before is not what is signed for."""
    served.declare(a_registered_agent(tokens_valid_after=datetime.now(UTC) + timedelta(seconds=0.6)))
    asked = asyncio.create_task(served.token())
    await asyncio.sleep(0.05)
    served.declare(a_registered_agent(state=AgentState.SUSPENDED))
    assert (await asked).status_code == 401


async def bearer_answer(served: ServedAlone, token: str) -> tuple[int, str, str]:
    """Status, error and challenge for a caller with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await served.http.post("/api/v1/token/introspect", data={"token": "any"}, headers=headers)
    return answer.status_code, answer.json().get("error", ""), answer.headers.get("www-authenticate", "")


async def test_introspection_with_an_access_token_needs_the_scope(served: ServedAlone) -> None:
    """RFC 6750, section 3.1."""
    assert (await bearer_answer(served, a_token(served, scope="a tokens:read")))[0] == 200
    status, error, challenge = await bearer_answer(served, a_token(served, scope="tokens:readall"))
    assert (status, error) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in challenge
    status, error, challenge = await bearer_answer(served, "nothing")
    assert (status, error) == (401, "invalid_token")
    assert challenge.startswith("Bearer ")


AUDIENCES: dict[str, tuple[tuple[str, ...], int]] = {
    "this service": ((ISSUER,), 200),
    "this service and others": (("https://api.example", ISSUER), 200),
    "a resource server": (("https://api.example",), 401),
    "several": (("https://api.example", f"{ISSUER}/api"), 401),
}


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
@pytest.mark.parametrize(("audience", "status"), AUDIENCES.values(), ids=AUDIENCES)
async def test_introspection_and_revocation_take_an_access_token_for(
    served: ServedAlone, endpoint: str, audience: tuple[str, ...], status: int
) -> None:
    """RFC 9068, section 4: who was sent an agent's token cannot act as the agent here, not even to end that token."""
    token = a_token(served, scope="tokens:read", audience=audience)
    bearer = {"Authorization": f"Bearer {token}"}
    answer = await served.http.post(f"/token/{endpoint}", data={"token": token}, headers=bearer)
    assert answer.status_code == status
    assert len(served.recorded) == (endpoint == "revoke" and status == 200)
    assert answer.headers.get("www-authenticate", "invalid_token").count("invalid_token") == 1


MORE: dict[str, dict[str, str]] = {
    "its own secret": CLIENT,
    "the secret of another client": {"client_id": READER_ID, "client_secret": OTHER_SECRET},
    "an assertion": {"client_assertion": "any", "client_assertion_type": JWT_BEARER},
}


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
async def test_introspection_and_revocation_take_one_method(served: ServedAlone, endpoint: str, more: dict[str, str]) -> None:
    """RFC 6749, section 2.3: one method. Of two who might be meant one would be told that its token is revoked, and is not."""
    token = a_token(served, scope="tokens:read")
    bearer = {"Authorization": f"Bearer {token}"}
    answer = await served.http.post(f"/token/{endpoint}", data={"token": token} | more, headers=bearer)
    assert (answer.status_code, answer.json()["error"], served.recorded) == (400, "invalid_request", [])


async def test_introspection_needs_authentication(served: ServedAlone) -> None:
    """No authentication, or a wrong one."""
    for options in ({}, {"headers": basic(AGENT_ID, OTHER_SECRET)}):
        answer = await served.http.post("/token/introspect", data={"token": "any"}, **options)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_introspection_needs_a_token(served: ServedAlone) -> None:
    """`invalid_request`."""
    answer = await served.http.post("/token/introspect", data=CLIENT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
