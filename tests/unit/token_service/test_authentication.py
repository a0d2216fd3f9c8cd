"""Hashes without a hint, many credentials, and changes that come while bcrypt runs."""

import asyncio
import time
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, CredentialState
from tests.support.token_services import CLIENT, GRANT, HASH, ServedAlone, the_credential, the_hash
from tests.support.worlds import a_fake_hash, a_registered_agent, a_uid, a_value
from token_service import authentication, hashing


@pytest.fixture
def unhinted(empty: ServedAlone) -> ServedAlone:
    """A client that keeps its secret itself, and told no hint."""
    empty.declare(a_registered_agent(), the_credential(the_hash(hint=False)))
    return empty


async def test_a_hash_without_a_hint_accepts(unhinted: ServedAlone) -> None:
    """Bcrypt alone decides."""
    assert (await unhinted.token()).status_code == 200
    assert (await unhinted.token(CLIENT | GRANT | {"client_secret": "guess"})).status_code == 401


async def test_guessing_is_slowed_down_per_client(unhinted: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many failures no bcrypt is run for it for a while; whom it knows already is served."""
    assert (await unhinted.token()).status_code == 200
    guesses = [await unhinted.token(CLIENT | GRANT | {"client_secret": f"guess-{n}"}) for n in range(12)]
    statuses = [guess.status_code for guess in guesses]
    assert statuses == [401] * authentication.FAILURES_AT_ONCE + [429] * (12 - authentication.FAILURES_AT_ONCE)
    assert int(guesses[-1].headers["retry-after"]) >= 1
    assert (await unhinted.token()).status_code == 200


async def test_a_wrong_secret_never_reaches_bcrypt_where_there_are_hints(
    served: ServedAlone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hint fits nothing."""
    checked = []

    async def matches(*arguments: Any) -> bool:
        checked.append(arguments)
        return False

    monkeypatch.setattr(served.service.hashing, "matches", matches)
    for number in range(20):
        await served.token(CLIENT | GRANT | {"client_secret": f"sk_test_{number:032x}"})
    assert checked == []


def another(number: int) -> AgentCredential:
    """One more credential of the same agent, with another secret."""
    one = the_credential(replace(the_hash(), hash=a_fake_hash(a_value(number)), hint=f"{number:08x}"), uid=a_uid(number))
    return replace(one, metadata=replace(one.metadata, name=f"key-{number}"))


async def test_an_agent_may_have_many_credentials(served: ServedAlone) -> None:
    """The hint finds the one."""
    served.declare(*(another(number) for number in range(100)))
    assert (await served.token()).status_code == 200


async def test_a_credential_that_is_revoked_while_bcrypt_runs_is_refused(
    served: ServedAlone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what is so when bcrypt is done."""

    async def matches(*_: Any) -> bool:
        served.declare(the_credential(state=CredentialState.REVOKED))
        return True

    monkeypatch.setattr(served.service.hashing, "matches", matches)
    assert (await served.token()).status_code == 401


async def test_when_two_hashes_share_a_hint_the_right_one_is_found(served: ServedAlone) -> None:
    """The hint only chooses whom to ask."""
    wrong = replace(the_hash(), hash=HASH[:-1] + ("a" if HASH[-1] != "a" else "b"))
    served.declare(the_credential(wrong, the_hash()), another(1))
    assert (await served.token()).status_code == 200
    served.declare(the_credential(the_hash(), wrong))
    assert (await served.token()).status_code == 200


async def test_a_false_hint_is_believed_once(empty: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its owner could have everybody's threads hash for it, as often as it asks."""
    false = replace(the_hash(), hash=a_fake_hash(a_value(1)))
    empty.declare(a_registered_agent(), the_credential(false))
    hinted = 0
    matches = empty.service.hashing.matches

    async def counted(*check: Any) -> bool:
        nonlocal hinted
        hinted += 1
        return await matches(*check)

    monkeypatch.setattr(empty.service.hashing, "matches", counted)
    answers = [await empty.token() for _ in range(14)]
    assert hinted == 1
    assert [answer.status_code for answer in answers][-1] == 429


async def test_a_burst_of_first_sights_is_served(empty: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 clients that nobody has seen before: none is told to come back later."""
    monkeypatch.setattr(hashing, "secret_matches", _matches_soon)
    clients = [a_uid(number) for number in range(200)]
    for client_id in clients:
        credential = the_credential(the_hash(credential_id=client_id), uid=client_id)
        status = replace(credential.status, client_id=client_id)
        spec = replace(credential.spec, agent_ref=replace(credential.spec.agent_ref, name=client_id))
        empty.declare(a_registered_agent(client_id, name=client_id, uid=client_id))
        empty.declare(replace(credential, status=status, spec=spec))
    answers = await asyncio.gather(*(empty.token(CLIENT | GRANT | {"client_id": client_id}) for client_id in clients))
    assert [answer.status_code for answer in answers] == [200] * 200


def _matches_soon(*_: Any) -> bool:
    time.sleep(0.01)
    return True
