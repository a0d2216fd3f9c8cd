"""A replica that answers, and hears of changes late: what the API server sends to it is held up on the wire.

What a 200 promises holds there as well, since the answer waits for that replica, in bounded time.
"""

from collections.abc import Callable
from http import HTTPStatus

import httpx

from tests.support.replicated import Asked, Client, Stage, assert_nothing_was_done
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served

WITHOUT_THE_BARRIER = 0.5
"""Seconds in which an answer would come that does not wait for the last replica; the bound of the wait is ten times that."""


def answer_that_waits(stage: Stage, old: Pair, change: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer to a change that ends this pair; it comes when the last replica has heard of it, which it does last of all."""
    *others, last = stage.at_each(old)
    with stage.wire.held_up():
        asked = Asked(change)
        eventually("the others refuse the old secret", lambda: not any(is_served(one) for one in others))
        assert not asked.is_answered(within=WITHOUT_THE_BARRIER)
        assert is_served(last)
    return asked.answer()


def test_rotation_is_answered_after_the_last_replica_applied_it(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """Then every replica refuses the old secret and accepts the new one."""
    credential_id, old = credential
    answer = answer_that_waits(stage, old, lambda: client.rotate(credential_id))
    new = client.pair(answer)
    assert stage.all_refuse(old)
    assert stage.all_serve(new)


def test_revocation_is_answered_after_the_last_replica_applied_it(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """Then no replica accepts it."""
    credential_id, pair = credential
    answer = answer_that_waits(stage, pair, lambda: client.api.revoke(client.agent_id, credential_id))
    assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
    assert stage.all_refuse(pair)


def test_rotation_that_a_replica_does_not_apply_in_time_is_rolled_back(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """The caller is told so: the old secret works on everywhere, and what was generated is revoked."""
    credential_id, pair = credential
    with stage.wire.held_up():
        for answer in (client.rotate(credential_id), client.api.generate(client.agent_id)):
            assert_nothing_was_done(answer)
            assert "Not every replica" in answer.json()["message"]
        assert client.active() == {credential_id}
        eventually("the old secret works", lambda: stage.all_serve(pair))
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))
    assert client.active() == {credential_id}


def test_revocation_that_a_replica_does_not_apply_in_time_stays(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """The caller is told that it does, and that it may not be known everywhere yet."""
    credential_id, pair = credential
    with stage.wire.held_up():
        answer = client.api.revoke(client.agent_id, credential_id)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert answer.json()["message"].startswith("The credential is revoked")
        assert is_served(stage.at_each(pair)[-1])
    eventually("all refuse it", lambda: stage.all_refuse(pair))
