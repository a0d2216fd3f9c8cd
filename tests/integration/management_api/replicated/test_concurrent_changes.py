"""Changes of one credential at the same moment: one of them stands, and the other says so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

from tests.support.replicated import Client, Stage
from tests.support.waiting import eventually

TIMES = 8

OK, CREATED, NO_CONTENT = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT
FORBIDDEN, CONFLICT, UNAVAILABLE = HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each gives, all of them begun at the same moment."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result() for one in [pool.submit(act) for act in acts]]


def test_rotations_at_once_leave_one_in_effect(stage: Stage, client: Client) -> None:
    """The other is told that nothing was done; or it came later, and then its secret is the one in force."""
    credential_id, pair = client.generate()
    for _ in range(TIMES):
        answers: list[httpx.Response] = at_once(*[partial(client.rotate, credential_id)] * 2)
        assert {one.status_code for one in answers} <= {OK, UNAVAILABLE}
        told = [client.pair(one) for one in answers if one.is_success]
        in_force = [one for one in told if stage.all_serve(one)]
        assert len(in_force) == 1, "one of the secrets that were told works everywhere"
        assert all(stage.all_refuse(one) for one in (pair, *told) if one not in in_force)
        assert client.is_at_rest(credential_id)
        (pair,) = in_force


def test_revocation_wins_over_a_rotation(stage: Stage, client: Client) -> None:
    """Whichever comes first: in the end nothing is accepted, and what was told of the rotation is true."""
    for _ in range(TIMES):
        credential_id, old = client.generate()
        rotated, revoked = at_once(
            partial(client.rotate, credential_id),
            partial(client.api.revoke, client.agent_id, credential_id),
        )
        assert revoked.status_code == NO_CONTENT, revoked.text
        assert rotated.status_code in {OK, CONFLICT, UNAVAILABLE}, rotated.text
        told = [client.pair(rotated)] if rotated.is_success else []
        assert all(stage.all_refuse(one) for one in (old, *told))
        assert credential_id not in client.active()
        eventually("it is at rest", partial(client.is_at_rest, credential_id))


def test_generation_during_a_suspension_is_returned_or_revoked(stage: Stage, client: Client) -> None:
    """When the agent is active again, there is no active credential whose secret nobody knows."""
    known = {}
    for _ in range(TIMES):
        answer, _ = at_once(
            partial(client.api.generate, client.agent_id),
            partial(client.tenant.change, "Agent", state="Suspended"),
        )
        assert answer.status_code in {CREATED, FORBIDDEN, UNAVAILABLE}, answer.text
        if answer.status_code == CREATED:
            known[answer.json()["credentialId"]] = client.pair(answer)
        client.tenant.change("Agent", state="Active")
        client.tenant.until("Agent", "Registered")
        eventually("all that is active was told", client.active, lambda active: active == set(known))
    for credential_id, pair in known.items():
        eventually("it is at rest", partial(client.is_at_rest, credential_id))
        eventually("it works", partial(stage.all_serve, pair))


def test_rotation_during_a_suspension_is_returned_or_rolled_back(stage: Stage, client: Client) -> None:
    """When the agent is active again, the secret that was told last works, and no other."""
    credential_id, pair = client.generate()
    for _ in range(TIMES):
        answer, _ = at_once(partial(client.rotate, credential_id), partial(client.tenant.change, "Agent", state="Suspended"))
        assert answer.status_code in {OK, FORBIDDEN, UNAVAILABLE}, answer.text
        client.tenant.change("Agent", state="Active")
        client.tenant.until("Agent", "Registered")
        old, pair = (pair, client.pair(answer)) if answer.is_success else (None, pair)
        eventually("it works, and no other", partial(client.is_as_before, credential_id, pair))
        assert old is None or stage.all_refuse(old)
