"""What there is to say about a credential or an agent."""

from datetime import timedelta

import pytest

from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.conditions import UNSEEN, Due, Standing, What, issued_at, next_due, overlapping, standing
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_condition,
    a_credential,
    a_hash,
    a_provided_hash,
    a_rotation,
    an_agent,
    an_issued_credential,
    respecified,
    restated,
)

FORMER, PRESENT = a_hash(1, made=-2 * HOUR, ends=MINUTE), a_hash(2)


def scheduled(credential: AgentCredential) -> AgentCredential:
    """To be rotated in a day."""
    return restated(credential, next_rotation_at=NOW + DAY)


DUE: dict[str, tuple[AgentCredential, What, timedelta]] = {
    "the rotation on schedule": (scheduled(an_issued_credential()), What.ROTATION, DAY),
    "the end of an overlap, before it": (scheduled(an_issued_credential(FORMER, PRESENT)), What.END_OF_OVERLAP, MINUTE),
    "the expiry, before it": (scheduled(an_issued_credential(expires_at=NOW + HOUR)), What.EXPIRY, HOUR),
    "a rotation requested for later": (
        an_issued_credential(rotation=a_rotation(requested=MINUTE)),
        What.REQUESTED_ROTATION,
        MINUTE,
    ),
    "a requested rotation that is overdue": (
        an_issued_credential(rotation=a_rotation(requested=-MINUTE)),
        What.REQUESTED_ROTATION,
        -MINUTE,
    ),
    "one whose secret was made, but is not known to be in the Secret": (
        an_issued_credential(a_hash(1), a_hash(2, made=-SECOND), rotation=a_rotation(requested=-MINUTE)),
        What.REQUESTED_ROTATION,
        -MINUTE,
    ),
    "one that was requested in whole seconds, in the second in which the secret was made": (
        an_issued_credential(a_hash(1, made=SECOND / 2), rotation=a_rotation(requested=timedelta())),
        What.REQUESTED_ROTATION,
        timedelta(),
    ),
}
NOTHING_DUE = {
    "without schedule or expiry": an_issued_credential(),
    "after a request that was answered": an_issued_credential(rotation=a_rotation(requested=-2 * HOUR)),
    "after one in whole seconds that was answered within its second": restated(
        an_issued_credential(a_hash(1, made=SECOND / 2), rotation=a_rotation(requested=timedelta())), rotation_requested_at=NOW
    ),
    "for a request that a provided hash ignores": an_issued_credential(
        secret_hash=a_provided_hash(), rotation=a_rotation(requested=-MINUTE)
    ),
    "for a request before anything was issued": a_credential(rotation=a_rotation(requested=-MINUTE)),
    "after the expiry": restated(an_issued_credential(expires_at=NOW - HOUR), phase=CredentialPhase.EXPIRED),
    "after it was revoked": restated(an_issued_credential(expires_at=NOW + DAY), phase=CredentialPhase.REVOKED),
}


@pytest.mark.parametrize(("credential", "what", "when"), DUE.values(), ids=DUE)
def test_next_is(credential: AgentCredential, what: What, when: timedelta) -> None:
    """The earliest; what has passed stays the next until it is done."""
    assert next_due(credential) == Due(NOW + when, what)


@pytest.mark.parametrize("credential", NOTHING_DUE.values(), ids=NOTHING_DUE)
def test_nothing_is_due(credential: AgentCredential) -> None:
    """Nothing will happen by itself."""
    assert next_due(credential) is None


def test_a_secret_that_cannot_be_written_is_told_although_the_credential_works() -> None:
    """Ready says that all is well: the secret in use is."""
    credential = an_issued_credential()
    ready = credential.status.conditions[0]
    refused = a_condition(SECRET_DELIVERED, Reason.API_REFUSED, holds=False, message="exceeded quota")
    told = standing(restated(credential, conditions=(ready, refused)))
    assert told == Standing("Active", True, "Issued", "The credential works. Refused: exceeded quota", up_to_date=True)


def test_what_is_in_the_way_is_told_once() -> None:
    """Where a credential waits for it, Ready has the same words."""
    kinds = (READY, SECRET_DELIVERED)
    both = tuple(a_condition(kind, Reason.SECRET_CONTESTED, holds=False, message="Somebody writes it.") for kind in kinds)
    told = standing(restated(an_issued_credential(), phase=CredentialPhase.PENDING, conditions=both))
    assert (told.reason, told.message) == ("SecretContested", "Somebody writes it.")


def test_overlapping_are_former_secrets_that_are_accepted() -> None:
    """Neither the present one nor one that has ended."""
    ended, later = a_hash(3, ends=-MINUTE), a_hash(4, ends=HOUR)
    assert overlapping(an_issued_credential(ended, later, FORMER, PRESENT), NOW) == [FORMER, later]


def test_the_youngest_secret_counts_as_issued() -> None:
    """Also one whose delivery was not recorded yet; and where hashes are gone, what the status remembers."""
    assert issued_at(an_issued_credential(FORMER, a_hash(2, made=-MINUTE))) == NOW - MINUTE
    assert issued_at(restated(a_credential(), created_at=NOW - DAY, rotated_at=NOW - HOUR)) == NOW - HOUR
    assert issued_at(a_credential()) is None


def test_a_status_about_an_earlier_spec_is_marked() -> None:
    """Whoever suspends an agent while the operator is down must not read that all is well."""
    credential = respecified(an_issued_credential(), expires_at=NOW)
    assert standing(credential) == Standing("Active", True, "Issued", f"{UNSEEN} The credential works.", up_to_date=False)


def test_an_object_that_the_operator_has_not_seen_says_so() -> None:
    """There is no phase and no condition."""
    assert standing(an_agent()) == Standing("", False, "", UNSEEN, up_to_date=False)


def test_what_is_wrong_is_told_as_the_operator_says_it() -> None:
    """Phase, reason and message of the Ready condition."""
    refused = a_condition(READY, Reason.AGENT_NOT_FOUND, holds=False, message="No Agent 'screener' in this namespace.")
    credential = restated(an_issued_credential(), phase=CredentialPhase.PENDING, conditions=(refused,))
    expected = Standing("Pending", False, "AgentNotFound", "No Agent 'screener' in this namespace.", up_to_date=True)
    assert standing(credential) == expected
