"""POST /token/revoke: whose tokens end, where that is recorded, and how many (RFC 7009)."""

import time

import httpx
import pytest
from msgspec.structs import replace

from agentidp.cache.revocations import revoked_token
from agentidp.domain.resources import ObjectMeta, ObjectRef, TokenRevocation, TokenRevocationSpec
from agentidp.kube.errors import Unreachable
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, GRANT, SECRET, ServedAlone, basic, the_credential, the_hash, with_limits
from tests.support.worlds import AGENT_ID, HOUR, NAMESPACE, NOW, a_registered_agent, a_uid
from token_service.limits import LIMITS

OTHER_ID = a_uid(400)


async def issued(served: ServedAlone) -> str:
    """A token of the client."""
    token: str = (await served.token()).json()["access_token"]
    return token


async def revoke(served: ServedAlone, token: str, **options: object) -> httpx.Response:
    """The answer to its client, unless told otherwise."""
    form = {"token": token} if "headers" in options else {"token": token} | CLIENT
    return await served.http.post("/api/v1/token/revoke", data=form, **options)  # type: ignore[arg-type]


async def is_active(served: ServedAlone, token: str) -> bool:
    """What introspection says."""
    answer = await served.http.post("/token/introspect", data={"token": token} | CLIENT)
    active: bool = answer.json()["active"]
    return active


async def test_revocation_ends_a_token_of_the_client(served: ServedAlone) -> None:
    """At once here, and recorded for all replicas."""
    token, other = await issued(served), await issued(served)
    answer = await revoke(served, token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-type" not in answer.headers
    (recorded,) = served.recorded
    assert recorded.client_id == AGENT_ID
    assert not await is_active(served, token)
    assert await is_active(served, other)


async def test_revocation_is_recorded_once(served: ServedAlone) -> None:
    """The second time there is nothing to do."""
    token = await issued(served)
    assert [(await revoke(served, token)).status_code for _ in range(2)] == [200, 200]
    assert len(served.recorded) == 1


async def test_revocation_by_the_token_itself(served: ServedAlone) -> None:
    """And is no good afterwards, not even for that."""
    token = await issued(served)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await revoke(served, token, headers=bearer)).status_code == 200
    assert not await is_active(served, token)
    assert (await revoke(served, token, headers=bearer)).status_code == 401


async def test_revocation_of_an_unknown_token_is_answered_alike(served: ServedAlone) -> None:
    """RFC 7009, section 2.2."""
    assert (await revoke(served, "nothing")).status_code == 200
    assert served.recorded == []


async def test_revocation_of_a_foreign_token_is_answered_alike_and_ends_nothing(served: ServedAlone) -> None:
    """Nobody revokes another's."""
    token = await issued(served)
    theirs = the_credential(the_hash(credential_id=OTHER_ID), uid=OTHER_ID)
    status = replace(theirs.status, client_id=OTHER_ID)
    spec = replace(theirs.spec, agent_ref=replace(theirs.spec.agent_ref, name="other"))
    served.declare(a_registered_agent(OTHER_ID, name="other", uid=OTHER_ID), replace(theirs, status=status, spec=spec))
    assert (await served.token(GRANT | {"client_id": OTHER_ID, "client_secret": SECRET})).status_code == 200
    assert (await revoke(served, token, headers=basic(OTHER_ID, SECRET))).status_code == 200
    assert await is_active(served, token)


async def test_revocation_that_cannot_be_recorded_is_unavailable(served: ServedAlone) -> None:
    """503: the client has to come back, or the other replicas would go on."""
    token = await issued(served)
    served.api_server_trouble = Unreachable("away")
    answer = await revoke(served, token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert await is_active(served, token)


async def test_revocation_needs_a_client_and_a_token(served: ServedAlone) -> None:
    """RFC 7009, section 2.1."""
    assert (await served.http.post("/token/revoke", data={"token": "any"})).status_code == 401
    assert (await served.http.post("/token/revoke", data=CLIENT)).status_code == 400


@pytest.fixture
def clock() -> ManualClock:
    """The clock by which revocations are counted; it stands still."""
    return ManualClock(time.time())


async def test_revocation_beyond_the_rate_is_answered_with_429(served: ServedAlone, clock: ManualClock) -> None:
    """429 before anything is written, by whatever it is authenticated. A second later it may go on."""
    *tokens, last = [await issued(served) for _ in range(LIMITS.revocations_burst + 1)]
    assert {(await revoke(served, token)).status_code for token in tokens} == {200}
    for options in ({}, {"headers": {"Authorization": f"Bearer {last}"}}):
        answer = await revoke(served, last, **options)
        assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
        assert (answer.headers["retry-after"], answer.headers["x-ratelimit-limit"]) == ("1", f"{LIMITS.revocations_burst}")
        assert answer.headers["x-ratelimit-remaining"] == "0"
    assert len(served.recorded) == LIMITS.revocations_burst
    assert await is_active(served, last)
    served.service.revocation_quota.take(OTHER_ID, NAMESPACE)
    clock.now += 1
    assert (await revoke(served, last)).status_code == 200


async def test_revocation_counts_only_what_is_recorded(served: ServedAlone, clock: ManualClock) -> None:
    """What is revoked already, or no token of the client's. The answer is the same as ever."""
    first, *others = [await issued(served) for _ in range(LIMITS.revocations_burst + 1)]
    for token in (first, *["nothing", first] * 3, *others[:-1], first, "nothing"):
        assert (await revoke(served, token)).status_code == 200
    assert len(served.recorded) == LIMITS.revocations_burst
    assert (await revoke(served, others[-1])).status_code == 429
    assert (await revoke(served, first)).status_code == 200


@with_limits(max_revocations=2)
async def test_revocation_beyond_the_number_of_revoked_tokens_is_answered_with_429(served: ServedAlone) -> None:
    """Wherever they were revoked, until they are swept. It is told what ends all of its tokens."""
    spec = TokenRevocationSpec(expires_at=NOW + HOUR, client_id=AGENT_ID)
    elsewhere = TokenRevocation(metadata=ObjectMeta(name=a_uid(7)), spec=spec)
    anothers = TokenRevocation(metadata=ObjectMeta(name=a_uid(8)), spec=replace(spec, client_id=OTHER_ID))
    for one in (elsewhere, anothers):
        served.cache.revocations.put(revoked_token(one))
    here, last = await issued(served), await issued(served)
    assert (await revoke(served, here)).status_code == 200
    answer = await revoke(served, last)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "spec.tokensValidAfter" in answer.json()["error_description"]
    assert len(served.recorded) == 1
    assert await is_active(served, last)
    assert (await revoke(served, here)).status_code == 200
    served.cache.revocations.remove(ObjectRef(name=a_uid(7)))
    assert (await revoke(served, last)).status_code == 200


def test_revocation_limits_are_documented(served: ServedAlone) -> None:
    """And what refuses beyond them."""
    told = served.app.openapi()["paths"]["/api/v1/token/revoke"]["post"]
    assert "100 tokens at once and then one a second, and have 1000" in told["description"]
    assert "the clients of a namespace together 5 times as many" in told["description"]
    assert "429" in told["responses"]
