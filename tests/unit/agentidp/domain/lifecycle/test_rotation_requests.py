"""Rotation: on request, on schedule, and what becomes of the old secret."""

from datetime import datetime, timedelta

import pytest

from agentidp.domain.lifecycle import MAX_HASHES, IssueSecret, Wait
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import ACTIVE, Outcome, Story, declared, delivered, issue, outcomes, rotated, served, wait
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_credential,
    a_hash,
    a_rotation,
    a_secret,
    a_value,
    an_issued_credential,
    restated,
)

TENTH = SECOND / 10
YOUNG = a_hash(1, made=-6 * TENTH)
"""Made in the second that began a second ago."""

STORIES: dict[str, Story] = {
    "a request later than the last rotation rotates": (
        delivered(an_issued_credential(rotation=a_rotation(requested=-SECOND))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "a request for this moment rotates": (
        delivered(an_issued_credential(rotation=a_rotation(requested=timedelta()))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "a request that was granted does not rotate again": (
        delivered(served(rotated(an_issued_credential(rotation=a_rotation(requested=-MINUTE)), ago=MINUTE), ago=MINUTE)),
        (wait(),),
    ),
    "a request from before the first secret does not rotate": (
        delivered(an_issued_credential(rotation=a_rotation(requested=-DAY))),
        (ACTIVE, wait()),
    ),
    "a request for later is waited for": (
        delivered(an_issued_credential(rotation=a_rotation(requested=HOUR))),
        (wait(HOUR),),
    ),
    "a request that comes with the credential is granted by its first secret": (
        declared(a_credential(rotation=a_rotation(requested=-SECOND))),
        (issue(Reason.NOT_ISSUED), ACTIVE, wait()),
    ),
    "a request in whole seconds, of the very second in which the secret was made, rotates": (
        delivered(an_issued_credential(YOUNG, rotation=a_rotation(requested=-SECOND))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "also where another one was served in that second": (
        delivered(served(an_issued_credential(YOUNG, rotation=a_rotation(requested=-SECOND)), ago=7 * TENTH)),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "but not where it was served itself": (
        delivered(served(an_issued_credential(YOUNG, rotation=a_rotation(requested=-SECOND)), ago=SECOND)),
        (wait(),),
    ),
    "nor with a fraction, which says that it came before the secret": (
        delivered(an_issued_credential(YOUNG, rotation=a_rotation(requested=-7 * TENTH))),
        (ACTIVE, wait()),
    ),
    "nor in an earlier second": (
        delivered(an_issued_credential(YOUNG, rotation=a_rotation(requested=-2 * SECOND))),
        (ACTIVE, wait()),
    ),
    "a crash between hash and Secret does not lose such a request": (
        delivered(an_issued_credential(YOUNG, a_hash(2, made=-5 * TENTH), rotation=a_rotation(requested=-SECOND))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "and one after the Secret was written does not do it twice": (
        declared(
            an_issued_credential(YOUNG, a_hash(2, made=-5 * TENTH), rotation=a_rotation(requested=-SECOND)),
            a_secret(an_issued_credential(), a_value(2)),
        ),
        (ACTIVE, wait()),
    ),
    "a schedule rotates when its time has come": (
        delivered(an_issued_credential(rotation=a_rotation(every="1h"))),
        (issue(Reason.ROTATION_SCHEDULED), ACTIVE, wait(HOUR)),
    ),
    "and is waited for until then": (
        delivered(an_issued_credential(rotation=a_rotation(every="1h30m"))),
        (wait(HOUR / 2),),
    ),
    "a schedule counts from the last rotation": (
        delivered(restated(an_issued_credential(rotation=a_rotation(every="24h")), created_at=NOW - 2 * DAY)),
        (ACTIVE, wait(23 * HOUR)),
    ),
    "a rotation with an overlap leaves the old secret until then": (
        delivered(an_issued_credential(rotation=a_rotation(overlap="10m", requested=-SECOND))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait(10 * MINUTE)),
    ),
    "a crash between hash and Secret rotates once more": (
        delivered(an_issued_credential(a_hash(1), a_hash(2, made=-SECOND), rotation=a_rotation(requested=-MINUTE))),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "a crash after the Secret was written is not seen as another due rotation": (
        declared(
            an_issued_credential(a_hash(1), a_hash(2, made=-SECOND), rotation=a_rotation(every="30m", requested=-MINUTE)),
            a_secret(an_issued_credential(), a_value(2)),
        ),
        (ACTIVE, wait(HOUR / 2 - SECOND)),
    ),
    "by a clock that was ahead, the last rotation is yet to come: a request that was not served rotates": (
        delivered(served(rotated(an_issued_credential(rotation=a_rotation(requested=-SECOND)), ago=-HOUR), ago=MINUTE)),
        (issue(Reason.ROTATION_REQUESTED), ACTIVE, wait()),
    ),
    "and one that was served does not": (
        delivered(served(rotated(an_issued_credential(rotation=a_rotation(requested=-SECOND)), ago=-HOUR), ago=SECOND)),
        (wait(),),
    ),
    "a hash whose end has come is dropped": (
        delivered(an_issued_credential(a_hash(9, made=-DAY, ends=timedelta()), a_hash(1))),
        (ACTIVE, wait()),
    ),
    "and works until then": (
        delivered(an_issued_credential(a_hash(9, made=-DAY, ends=HOUR), a_hash(1))),
        (wait(HOUR),),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story


def test_the_same_manifests_applied_again_cause_nothing() -> None:
    """A GitOps tool does it every few minutes: the version changes, the generation does not."""
    world = delivered(rotated(an_issued_credential(rotation=a_rotation("24h", "1h", -MINUTE)), ago=MINUTE))
    Operator(world).bring_to_rest(NOW)
    for _ in range(3):
        world.touch()
        assert [type(step) for step in Operator(world).bring_to_rest(NOW)] == [Wait]


@pytest.mark.parametrize("before", [None, NOW + 3 * TENTH], ids=["after an issue", "after a rotation on request"])
def test_a_request_in_whole_seconds_is_served_once_within_its_second(before: datetime | None) -> None:
    """Asked for, done and recorded in the second in which the secret before was made."""
    asked = an_issued_credential(a_hash(1, made=4 * TENTH), rotation=a_rotation(requested=timedelta()))
    world = delivered(restated(asked, rotation_requested_at=before))
    steps = [step for at in range(5, 10) for step in Operator(world).bring_to_rest(NOW + at * TENTH)]
    assert len([step for step in steps if isinstance(step, IssueSecret)]) == 1
    assert world.credential.status.rotation_requested_at == NOW


def test_a_manifest_that_asks_for_the_second_of_its_creation_gets_one_secret() -> None:
    """Its first one is the answer, however often the operator looks in that second."""
    world = declared(a_credential(rotation=a_rotation(requested=timedelta())))
    steps = [step for at in range(10) for step in Operator(world).bring_to_rest(NOW + at * TENTH)]
    assert len([step for step in steps if isinstance(step, IssueSecret)]) == 1


def test_a_rotation_never_leaves_more_than_five_hashes() -> None:
    """However many overlaps there are; the oldest goes first."""
    hashes = [a_hash(number, made=-DAY, ends=number * HOUR) for number in (2, 3, 4, 5)]
    world = delivered(an_issued_credential(*hashes, a_hash(1), rotation=a_rotation(overlap="24h", requested=-SECOND)))
    Operator(world).bring_to_rest(NOW)
    left = world.credential.status.secret_hashes
    assert [one.hash for one in left[:4]] == [a_hash(number).hash for number in (3, 4, 5, 1)]
    assert len(left) == MAX_HASHES
