"""Two writers of one Secret, of which ours gives way in time."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.lifecycle import Wait, WriteStatus
from agentidp.domain.resources import CredentialPhase, Secret
from agentidp.domain.resources.conditions import SECRET_DELIVERED, condition
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import (
    ACTIVE,
    REGISTERED,
    Outcome,
    Story,
    declared,
    delivered,
    disowned,
    edited,
    expiring,
    issue,
    mended,
    outcome,
    outcomes,
    pending,
    repair,
    wait,
)
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_credential,
    a_hash,
    a_rotation,
    an_issued_credential,
    respecified,
    restated,
)

STORIES: dict[str, Story] = {
    "a Secret that was mended a moment ago is mended a second after that": (
        edited(mended(1, ago=SECOND / 2)),
        (pending(Reason.SECRET_DRIFTED), wait(SECOND / 2)),
    ),
    "one that was mended four times is mended 15 seconds after the first": (
        edited(mended(4, ago=14 * SECOND)),
        (pending(Reason.SECRET_DRIFTED), wait(SECOND)),
    ),
    "and once more when that time has come": (
        edited(mended(4, ago=15 * SECOND)),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "the sixth time in ten minutes it is left alone until they are over": (
        edited(mended(5)),
        (pending(Reason.SECRET_CONTESTED), wait(9 * MINUTE)),
    ),
    "or until the credential expires": (
        edited(mended(5, expiring(MINUTE))),
        (pending(Reason.SECRET_CONTESTED), wait(MINUTE)),
    ),
    "a Secret that is removed again and again is left alone too": (
        declared(mended(5)),
        (pending(Reason.SECRET_CONTESTED), wait(9 * MINUTE)),
    ),
    "after ten minutes there is another try": (
        edited(mended(5, ago=10 * MINUTE)),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "a change of the spec is another try": (
        edited(respecified(mended(5))),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "and so is a clock that was set back": (
        edited(mended(5, ago=-HOUR)),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "a clock that was set back does not put the next try off": (
        edited(mended(1, an_issued_credential(a_hash(1, made=DAY)), ago=MINUTE)),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "a contested Secret that holds the right value again is in use": (
        delivered(mended(5, restated(an_issued_credential(), phase=CredentialPhase.PENDING))),
        (ACTIVE, wait()),
    ),
    "a Secret whose metadata somebody keeps changing is left alone, and its value works": (
        disowned(mended(5)),
        (ACTIVE, wait(9 * MINUTE)),
    ),
    "and is rotated, which mends it": (
        disowned(mended(5, an_issued_credential(rotation=a_rotation(requested=-SECOND)))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "and mended when the spec changes": (
        disowned(respecified(mended(5))),
        (ACTIVE, repair(), ACTIVE, wait()),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story


def test_a_metadata_contest_is_told_where_people_look() -> None:
    """The credential works, so it stays Ready; that its Secret is not as declared is the other condition."""
    world = disowned(mended(5))
    Operator(world).bring_to_rest(NOW)
    told = condition(world.credential.status.conditions, SECRET_DELIVERED)
    assert told
    assert (told.reason, told.status.value) == ("SecretContested", "False")
    assert "Something else keeps changing Secret 'screener-key'" in told.message
    assert "until 2026-03-01T12:09:00Z" in told.message


class StubbornApi(ApiServer):
    """An admission webhook changes every Secret that is written."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(a_credential(), REGISTERED)
        self.changes = changes

    def put_secret(self, secret: Secret) -> Secret:
        """Not as it was sent."""
        meta = replace(secret.metadata, labels=secret.metadata.labels | self.changes.get("labels", {}))
        return super().put_secret(replace(secret, metadata=meta, data=self.changes.get("data", secret.data)))


def moments_of_writes(world: ApiServer) -> list[tuple[timedelta, str]]:
    """When, and what, in the first ten minutes."""
    now, written = NOW, []
    while now < NOW + 10 * MINUTE:
        steps = Operator(world).bring_to_rest(now)
        written += [(now - NOW, outcome(step)[0]) for step in steps if not isinstance(step, Wait | WriteStatus)]
        last = steps[-1]
        assert isinstance(last, Wait)
        assert last.until
        now = last.until
    return written


def test_a_webhook_that_relabels_secrets_is_given_up_on() -> None:
    """The credential works all the time."""
    world = StubbornApi(labels={"app.kubernetes.io/managed-by": "policy"})
    tries = [(seconds * SECOND, "repair") for seconds in (0, 1, 3, 7, 15)]
    assert moments_of_writes(world) == [(timedelta(), "issue"), *tries]
    assert world.credential.status.phase is CredentialPhase.ACTIVE


def test_a_webhook_that_changes_values_is_given_up_on() -> None:
    """The first secret was made because there was none, the others because each was changed."""
    tries = [(seconds * SECOND, "issue") for seconds in (0, 1, 3, 7, 15)]
    assert moments_of_writes(StubbornApi(data={"client_secret": b"sealed"})) == [(timedelta(), "issue"), *tries]
