"""A Secret whose value is right and whose metadata or keys are not as declared."""

import pytest

from agentidp.domain.resources import SecretKeys, SecretTemplate
from tests.support.reconciling import ApiServer
from tests.support.stories import ACTIVE, Outcome, Story, declared, delivered, disowned, outcomes, repair, wait
from tests.support.worlds import DAY, a_hash, a_secret, an_issued_credential, respecified, with_metadata

NEW_LABELS = SecretTemplate(labels={"team": "talent"})
OTHER_KEYS = SecretTemplate(keys=SecretKeys(client_secret="password"))

STORIES: dict[str, Story] = {
    "a settled credential is left alone": (delivered(), (wait(),)),
    "a change of the spec that concerns nothing here is recorded as seen": (
        delivered(respecified(an_issued_credential())),
        (ACTIVE, wait()),
    ),
    "an owner that was taken away is put back, the value stays": (disowned(), (repair(), wait())),
    "new labels are written": (
        declared(respecified(an_issued_credential(), secret=NEW_LABELS), a_secret(an_issued_credential())),
        (ACTIVE, repair(), ACTIVE, wait()),
    ),
    "other key names move the value": (
        declared(respecified(an_issued_credential(), secret=OTHER_KEYS), a_secret(an_issued_credential())),
        (ACTIVE, repair(), ACTIVE, wait()),
    ),
    "old hashes end before the Secret is mended, which might be refused": (
        declared(
            an_issued_credential(a_hash(9, made=-DAY), a_hash(1)),
            with_metadata(a_secret(an_issued_credential()), labels={}),
        ),
        (ACTIVE, repair(), wait()),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story
