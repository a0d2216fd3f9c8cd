"""POST /token/revoke."""

import httpx
from msgspec.structs import replace

from agentidp.kube.errors import Unreachable
from tests.support.token_services import CLIENT, GRANT, SECRET, ServedAlone, basic, the_credential, the_hash
from tests.support.worlds import AGENT_ID, a_registered_agent, a_uid

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


async def test_a_client_revokes_its_token(served: ServedAlone) -> None:
    """At once here, and recorded for all replicas."""
    token, other = await issued(served), await issued(served)
    answer = await revoke(served, token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-type" not in answer.headers
    (recorded,) = served.recorded
    assert recorded.client_id == AGENT_ID
    assert not await is_active(served, token)
    assert await is_active(served, other)


async def test_a_revoked_token_is_revoked_once(served: ServedAlone) -> None:
    """The second time there is nothing to do."""
    token = await issued(served)
    assert [(await revoke(served, token)).status_code for _ in range(2)] == [200, 200]
    assert len(served.recorded) == 1


async def test_a_token_may_revoke_itself(served: ServedAlone) -> None:
    """And is no good afterwards, not even for that."""
    token = await issued(served)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await revoke(served, token, headers=bearer)).status_code == 200
    assert not await is_active(served, token)
    assert (await revoke(served, token, headers=bearer)).status_code == 401


async def test_an_unknown_token_is_answered_like_a_revoked_one(served: ServedAlone) -> None:
    """RFC 7009, section 2.2."""
    assert (await revoke(served, "nothing")).status_code == 200
    assert served.recorded == []


async def test_a_foreign_token_is_answered_like_a_revoked_one_and_lives(served: ServedAlone) -> None:
    """Nobody revokes another's."""
    token = await issued(served)
    theirs = the_credential(the_hash(credential_id=OTHER_ID), uid=OTHER_ID)
    status = replace(theirs.status, client_id=OTHER_ID)
    spec = replace(theirs.spec, agent_ref=replace(theirs.spec.agent_ref, name="other"))
    served.declare(a_registered_agent(OTHER_ID, name="other", uid=OTHER_ID), replace(theirs, status=status, spec=spec))
    assert (await served.token(GRANT | {"client_id": OTHER_ID, "client_secret": SECRET})).status_code == 200
    assert (await revoke(served, token, headers=basic(OTHER_ID, SECRET))).status_code == 200
    assert await is_active(served, token)


async def test_what_cannot_be_recorded_is_not_revoked(served: ServedAlone) -> None:
    """503: the client has to come back, or the other replicas would go on."""
    token = await issued(served)
    served.api_server_trouble = Unreachable("away")
    answer = await revoke(served, token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert await is_active(served, token)


async def test_a_caller_must_be_somebody_and_say_which_token(served: ServedAlone) -> None:
    """RFC 7009, section 2.1."""
    assert (await served.http.post("/token/revoke", data={"token": "any"})).status_code == 401
    assert (await served.http.post("/token/revoke", data=CLIENT)).status_code == 400
