"""A secret that its owner keeps: `spec.secretHash` instead of a Secret."""

import pytest
from msgspec.structs import replace

from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer
from tests.support.stories import (
    ACTIVE,
    PROVIDED,
    Outcome,
    Story,
    a_foreign_secret,
    declared,
    delivered,
    issue,
    moved,
    outcomes,
    remove,
    wait,
)
from tests.support.worlds import (
    HOUR,
    SECOND,
    a_credential,
    a_hash,
    a_provided_hash,
    a_rotation,
    a_secret,
    an_issued_credential,
    respecified,
    restated,
)

STORIES: dict[str, Story] = {
    "a provided hash is published, and no Secret is written": (
        declared(a_credential(secret_hash=a_provided_hash(5))),
        (PROVIDED, wait()),
    ),
    "a provided hash takes the place of a Secret": (
        delivered(respecified(an_issued_credential(), secret_hash=a_provided_hash(5))),
        (PROVIDED, remove(reason=Reason.SECRET_NOT_WANTED), PROVIDED, wait()),
    ),
    "with an overlap the Secret goes at once, its value works until then": (
        delivered(respecified(an_issued_credential(), secret_hash=a_provided_hash(5), rotation=a_rotation(overlap="1h"))),
        (PROVIDED, remove(reason=Reason.SECRET_NOT_WANTED), PROVIDED, wait(HOUR)),
    ),
    "both Secrets of a renaming go": (
        moved(
            respecified(an_issued_credential(), secret_hash=a_provided_hash(5)),
            a_secret(an_issued_credential()),
        ),
        (
            PROVIDED,
            remove(reason=Reason.SECRET_NOT_WANTED),
            remove("old", reason=Reason.SECRET_NOT_WANTED),
            PROVIDED,
            wait(),
        ),
    ),
    "a foreign Secret does not stand in the way of a provided hash": (
        declared(a_credential(secret_hash=a_provided_hash(5)), a_foreign_secret()),
        (PROVIDED, wait()),
    ),
    "neither a schedule nor a request rotates a secret that its owner keeps": (
        declared(a_credential(secret_hash=a_provided_hash(5), rotation=a_rotation(every="1h", requested=-SECOND))),
        (PROVIDED, wait()),
    ),
    "without the provided hash a secret is issued again": (
        declared(respecified(restated(an_issued_credential(a_hash(5, hint=False)), binding=None))),
        (issue(Reason.NOT_ISSUED), ACTIVE, wait()),
    ),
    "a hash without a hint is not taken for that of an empty Secret": (
        declared(
            an_issued_credential(a_hash(5, hint=False)),
            replace(a_secret(an_issued_credential()), data={}),
        ),
        (issue(Reason.SECRET_DRIFTED), ACTIVE, wait()),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story
