"""The text of `rotate`: announcement, progress and result."""

import pytest

from agentidp.domain.resources import AgentCredential, CredentialPhase, Retirement, Rotation
from agentidp.domain.resources.conditions import SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.rotation import announcement, is_delivered, progress, result
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_condition,
    a_hash,
    an_issued_credential,
    respecified,
    restated,
)

DELIVERED = a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED)
UNDELIVERED = a_condition(SECRET_DELIVERED, Reason.API_FORBIDDEN, holds=False)

DELIVERIES = {
    "a younger secret is in the Secret": (restated(an_issued_credential(), rotated_at=NOW, conditions=(DELIVERED,)), True),
    "an older one is": (restated(an_issued_credential(), rotated_at=NOW - SECOND, conditions=(DELIVERED,)), False),
    "only the first one was made": (restated(an_issued_credential(), created_at=NOW, conditions=(DELIVERED,)), False),
    "the Secret could not be written": (restated(an_issued_credential(), rotated_at=NOW, conditions=(UNDELIVERED,)), False),
    "nothing is said of a Secret": (restated(an_issued_credential(), rotated_at=NOW, conditions=()), False),
}


@pytest.mark.parametrize(("credential", "delivered"), DELIVERIES.values(), ids=DELIVERIES)
def test_rotation_is_delivered(credential: AgentCredential, delivered: bool) -> None:
    """The operator records `rotatedAt` after it has written the Secret."""
    assert is_delivered(credential, NOW) is delivered


def test_rotation_progress_names_the_obstacle() -> None:
    """It has the message of Ready; for a working credential, the delivery problem of its Secret."""
    assert progress(an_issued_credential()) == "Waiting for the operator."
    pending = restated(respecified(an_issued_credential()), phase=CredentialPhase.SUSPENDED, conditions=())
    assert progress(pending).startswith("Waiting while it is Suspended: The operator has not acted")
    refused = a_condition(SECRET_DELIVERED, Reason.API_REFUSED, holds=False, message="exceeded quota")
    kept = restated(an_issued_credential(), conditions=(*an_issued_credential().status.conditions[:1], refused))
    assert progress(kept) == "Waiting: Refused: exceeded quota"


def test_rotation_announcement_and_result_name_the_end_of_the_former_secret() -> None:
    """The announcement has the declared overlap, the result the recorded end."""
    assert "stops working when the new one is delivered" in announcement(an_issued_credential())
    assert "keeps working for 1h" in announcement(an_issued_credential(rotation=Rotation(overlap="1h")))
    kept = Rotation(overlap="1h", retire=Retirement.WHEN_UNUSED)
    assert "for 1h after the rotation, and longer while it is used" in announcement(an_issued_credential(rotation=kept))
    ended = Rotation(overlap="1h", requested_at=NOW, end_overlaps_at=NOW)
    assert "All former secrets stop working" in announcement(an_issued_credential(rotation=ended))
    alone = result(an_issued_credential(), a_hash(9), NOW)
    assert alone == "Secret 'screener-key' holds the new secret. The former one is not accepted any more."
    former = a_hash(1, made=-DAY, ends=MINUTE)
    both = result(an_issued_credential(former, a_hash(2)), former, NOW)
    assert both == (
        "Secret 'screener-key' holds the new secret. The former one is accepted until 2026-03-01T12:01:00Z (in 60s)."
    )


def test_rotation_result_tells_older_secrets_from_the_former_one() -> None:
    """With `--overlap 0s` after a rotation with 24h, an older secret is still accepted; the result says how to end it."""
    older = a_hash(1, made=-DAY, ends=23 * HOUR)
    text = result(an_issued_credential(older, a_hash(3)), a_hash(2), NOW)
    assert text == (
        "Secret 'screener-key' holds the new secret. The former one is not accepted any more."
        " An older one, made at 2026-02-28T12:00:00Z, is accepted until 2026-03-02T11:00:00Z (in 23h)."
        " `kubectl agentidp rotate screener-key --end-overlaps` ends them all."
    )
