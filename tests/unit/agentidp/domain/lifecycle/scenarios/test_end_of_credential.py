"""What ends a credential, and what is left of it."""

from datetime import timedelta

import pytest

from agentidp.domain.lifecycle import IssueSecret, decide
from agentidp.domain.resources import CredentialPhase, CredentialState
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import (
    ACTIVE,
    DECOMMISSIONED,
    EXPIRED,
    REPLACED,
    REVOKED,
    Outcome,
    Story,
    a_foreign_secret,
    declared,
    delivered,
    ended,
    expiring,
    issue,
    moved,
    outcomes,
    pending,
    remove,
    wait,
)
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    NOW,
    SECOND,
    a_credential,
    a_decommissioned_agent,
    a_registered_agent,
    a_rotation,
    a_secret,
    a_suspended_agent,
    a_uid,
    an_issued_credential,
    named,
    respecified,
    restated,
    seen,
)

STORIES: dict[str, Story] = {
    "a revoked credential loses its hashes, then its Secret, and both are recorded": (
        delivered(an_issued_credential(state=CredentialState.REVOKED)),
        (REVOKED, remove(), REVOKED, wait()),
    ),
    "a credential that is revoked before it is issued is never issued": (
        declared(a_credential(state=CredentialState.REVOKED)),
        (REVOKED, wait()),
    ),
    "a revoked credential is not rotated": (
        delivered(an_issued_credential(state=CredentialState.REVOKED, rotation=a_rotation(requested=-SECOND))),
        (REVOKED, remove(), REVOKED, wait()),
    ),
    "revoking works without the agent": (
        delivered(an_issued_credential(state=CredentialState.REVOKED), agent=None),
        (REVOKED, remove(), REVOKED, wait()),
    ),
    "revoking leaves a foreign Secret alone": (
        declared(an_issued_credential(state=CredentialState.REVOKED), a_foreign_secret()),
        (REVOKED, wait()),
    ),
    "revoking removes the Secret of the earlier name and the one of the new name": (
        moved(
            an_issued_credential(state=CredentialState.REVOKED, secret=named("new")),
            a_secret(an_issued_credential(secret=named("new"))),
        ),
        (REVOKED, remove("new"), remove("old"), REVOKED, wait()),
    ),
    "a decommissioned agent ends its credentials": (
        delivered(agent=a_decommissioned_agent()),
        (DECOMMISSIONED, remove(), DECOMMISSIONED, wait()),
    ),
    "and they stay ended when the agent is deleted": (
        declared(restated(an_issued_credential(), revoked_at=NOW - DAY), agent=None),
        (DECOMMISSIONED, wait()),
    ),
    "and when another agent takes the name": (
        declared(restated(an_issued_credential(), revoked_at=NOW - DAY), agent=REPLACED),
        (DECOMMISSIONED, wait()),
    ),
    "an expired credential loses its hashes, then its Secret": (
        delivered(expiring(-SECOND)),
        (EXPIRED, remove(), EXPIRED, wait()),
    ),
    "a credential expires at the moment that it names": (
        delivered(expiring(timedelta())),
        (EXPIRED, remove(), EXPIRED, wait()),
    ),
    "and not before": (delivered(expiring(SECOND)), (wait(SECOND),)),
    "a credential expires also while its agent is suspended": (
        delivered(expiring(-SECOND), agent=a_suspended_agent()),
        (EXPIRED, remove(), EXPIRED, wait()),
    ),
    "and while its agent is missing": (
        delivered(expiring(-SECOND), agent=None),
        (EXPIRED, remove(), EXPIRED, wait()),
    ),
    "a credential that is revoked and expired is revoked": (
        delivered(expiring(-SECOND, state=CredentialState.REVOKED)),
        (REVOKED, remove(), REVOKED, wait()),
    ),
    "a later expiry issues a fresh secret": (
        declared(respecified(restated(ended(), phase=CredentialPhase.EXPIRED), expires_at=NOW + DAY)),
        (issue(Reason.NOT_ISSUED), ACTIVE, wait(DAY)),
    ),
    "also before the old Secret was removed, whose value is dead": (
        delivered(restated(an_issued_credential(), secret_hashes=())),
        (issue(Reason.NOT_ISSUED), ACTIVE, wait()),
    ),
    "an agent of the same name with another id does not inherit secrets": (
        delivered(agent=REPLACED),
        (pending(Reason.AGENT_REPLACED), remove(), pending(Reason.AGENT_REPLACED), wait()),
    ),
    "but an agent that was declared again with the same id does": (
        delivered(agent=a_registered_agent(AGENT_ID, uid=a_uid(7))),
        (wait(),),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story


def test_the_record_of_an_ended_credential_is_kept() -> None:
    """Ids and times stay for whoever reads an audit log; what a secret would need is gone."""
    world = delivered(an_issued_credential(state=CredentialState.REVOKED, rotation=a_rotation(every="24h")))
    before = world.credential.status
    Operator(world).bring_to_rest(NOW)
    after = world.credential.status
    assert after.revoked_at == NOW
    assert (after.secret_hashes, after.next_rotation_at, after.binding, world.secrets) == ((), None, None, {})
    assert (after.credential_id, after.client_id, after.created_at) == (before.credential_id, AGENT_ID, before.created_at)


def test_revocation_is_recorded_once() -> None:
    """The moment of the first time stays."""
    world = declared(restated(an_issued_credential(state=CredentialState.REVOKED), revoked_at=NOW - DAY))
    Operator(world).bring_to_rest(NOW)
    assert world.credential.status.revoked_at == NOW - DAY


def test_a_hash_is_published_with_the_expiry_of_its_spec() -> None:
    """The token service takes the stricter of spec and status, and must accept the Secret from the first moment."""
    credential = restated(ended(expires_at=NOW + DAY), expires_at=NOW - DAY)
    step = decide(seen(credential), NOW)
    assert isinstance(step, IssueSecret)
    assert step.status.expires_at == NOW + DAY
