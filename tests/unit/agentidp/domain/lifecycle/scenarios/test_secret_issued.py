"""The Secret of a credential: made, found missing or wrong, renamed, and never somebody else's."""

import pytest

from agentidp.domain.resources import Binding
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer
from tests.support.stories import (
    ACTIVE,
    Outcome,
    Story,
    a_foreign_secret,
    declared,
    delivered,
    edited,
    issue,
    moved,
    outcomes,
    pending,
    remove,
    repair,
    wait,
)
from tests.support.worlds import (
    DAY,
    SECOND,
    a_credential,
    a_hash,
    a_rotation,
    a_secret,
    a_uid,
    an_issued_credential,
    named,
    respecified,
    restated,
)

STORIES: dict[str, Story] = {
    "a declared credential gets its secret": (declared(), (issue(Reason.NOT_ISSUED), ACTIVE, wait())),
    "a crash between hash and Secret costs the value that nobody knows": (
        declared(restated(an_issued_credential(), binding=None)),
        (issue(Reason.NOT_ISSUED), ACTIVE, wait()),
    ),
    "a crash after the first Secret was written costs nothing": (
        delivered(restated(an_issued_credential(), binding=None)),
        (ACTIVE, wait()),
    ),
    "a foreign Secret is never overwritten, and looked at again": (
        declared(a_credential(), a_foreign_secret()),
        (pending(Reason.SECRET_NOT_OWNED), wait(30 * SECOND)),
    ),
    "a foreign Secret stops rotation": (
        declared(an_issued_credential(rotation=a_rotation(every="1m")), a_foreign_secret()),
        (pending(Reason.SECRET_NOT_OWNED), wait(30 * SECOND)),
    ),
    "a Secret that another credential owns is foreign": (
        declared(a_credential(), a_secret(an_issued_credential(uid=a_uid(8)))),
        (pending(Reason.SECRET_NOT_OWNED), wait(30 * SECOND)),
    ),
    "a Secret that is gone is replaced": (
        declared(an_issued_credential()),
        (issue(Reason.SECRET_MISSING), ACTIVE, wait()),
    ),
    "an edited Secret is replaced": (edited(), (issue(Reason.SECRET_DRIFTED), ACTIVE, wait())),
    "a Secret that was restored to a retired value is replaced": (
        delivered(an_issued_credential(a_hash(1, ends=DAY), a_hash(2))),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait(DAY)),
    ),
    "a Secret that was changed before the first delivery was recorded is replaced": (
        edited(restated(an_issued_credential(), binding=None)),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
    "a renamed Secret keeps its value": (
        moved(respecified(an_issued_credential(), secret=named("new"))),
        (repair("old"), ACTIVE, remove("old"), ACTIVE, wait()),
    ),
    "a renaming that was interrupted goes on": (
        moved(
            respecified(an_issued_credential(), secret=named("new")),
            a_secret(an_issued_credential(secret=named("new"))),
        ),
        (ACTIVE, remove("old"), ACTIVE, wait()),
    ),
    "a renaming to a foreign Secret's name waits, and the old Secret stays": (
        moved(respecified(an_issued_credential(), secret=named("new")), a_foreign_secret("new")),
        (pending(Reason.SECRET_NOT_OWNED), wait(30 * SECOND)),
    ),
    "a Secret that was edited and then renamed is issued under the new name": (
        declared(
            restated(respecified(an_issued_credential(), secret=named("new")), binding=Binding(name="old")),
            a_secret(an_issued_credential(), b"edited", "old"),
        ),
        (issue(Reason.SECRET_MISSING), ACTIVE, remove("old"), ACTIVE, wait()),
    ),
    "a renamed Secret that is gone is issued under the new name": (
        declared(restated(respecified(an_issued_credential(), secret=named("new")), binding=Binding(name="old"))),
        (issue(Reason.SECRET_MISSING), ACTIVE, wait()),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story
