"""The state of an agent or a credential: readiness, overlapping hashes, next due event."""

from datetime import timedelta

import pytest

from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.conditions import (
    OUTDATED,
    Due,
    DueEvent,
    Readiness,
    last_issued_at,
    next_due,
    overlapping_hashes,
    readiness,
)
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
    """A credential whose rotation is due in a day."""
    return restated(credential, next_rotation_at=NOW + DAY)


DUE: dict[str, tuple[AgentCredential, DueEvent, timedelta]] = {
    "the rotation on schedule": (scheduled(an_issued_credential()), DueEvent.ROTATION, DAY),
    "the end of an overlap, before it": (scheduled(an_issued_credential(FORMER, PRESENT)), DueEvent.END_OF_OVERLAP, MINUTE),
    "the expiry, before it": (scheduled(an_issued_credential(expires_at=NOW + HOUR)), DueEvent.EXPIRY, HOUR),
    "a rotation requested for later": (
        an_issued_credential(rotation=a_rotation(requested=MINUTE)),
        DueEvent.REQUESTED_ROTATION,
        MINUTE,
    ),
    "a requested rotation that is overdue": (
        an_issued_credential(rotation=a_rotation(requested=-MINUTE)),
        DueEvent.REQUESTED_ROTATION,
        -MINUTE,
    ),
    "one whose secret was made, but is not known to be in the Secret": (
        an_issued_credential(a_hash(1), a_hash(2, made=-SECOND), rotation=a_rotation(requested=-MINUTE)),
        DueEvent.REQUESTED_ROTATION,
        -MINUTE,
    ),
    "one that was requested in whole seconds, in the second in which the secret was made": (
        an_issued_credential(a_hash(1, made=SECOND / 2), rotation=a_rotation(requested=timedelta())),
        DueEvent.REQUESTED_ROTATION,
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


@pytest.mark.parametrize(("credential", "event", "when"), DUE.values(), ids=DUE)
def test_next_due_is_the_earliest_event(credential: AgentCredential, event: DueEvent, when: timedelta) -> None:
    """An overdue event stays the next one until it has happened."""
    assert next_due(credential) == Due(NOW + when, event)


@pytest.mark.parametrize("credential", NOTHING_DUE.values(), ids=NOTHING_DUE)
def test_next_due_without_an_event(credential: AgentCredential) -> None:
    """Nothing happens without a change of the spec."""
    assert next_due(credential) is None


def test_readiness_names_a_delivery_problem_of_a_working_credential() -> None:
    """Ready is true, because the secret in use works."""
    credential = an_issued_credential()
    ready = credential.status.conditions[0]
    refused = a_condition(SECRET_DELIVERED, Reason.API_REFUSED, holds=False, message="exceeded quota")
    result = readiness(restated(credential, conditions=(ready, refused)))
    assert result == Readiness("Active", True, "Issued", "The credential works. Refused: exceeded quota", up_to_date=True)


def test_readiness_names_a_delivery_problem_once() -> None:
    """Ready has the same message if the credential waits for the delivery."""
    kinds = (READY, SECRET_DELIVERED)
    both = tuple(a_condition(kind, Reason.SECRET_CONTESTED, holds=False, message="Somebody writes it.") for kind in kinds)
    result = readiness(restated(an_issued_credential(), phase=CredentialPhase.PENDING, conditions=both))
    assert (result.reason, result.message) == ("SecretContested", "Somebody writes it.")


def test_overlapping_hashes_are_accepted_former_secrets() -> None:
    """The present secret and ended ones are not among them."""
    ended, later = a_hash(3, ends=-MINUTE), a_hash(4, ends=HOUR)
    assert overlapping_hashes(an_issued_credential(ended, later, FORMER, PRESENT), NOW) == [FORMER, later]


def test_last_issued_at_is_the_time_of_the_youngest_secret() -> None:
    """It counts before its delivery is recorded; without hashes the status has the time."""
    assert last_issued_at(an_issued_credential(FORMER, a_hash(2, made=-MINUTE))) == NOW - MINUTE
    assert last_issued_at(restated(a_credential(), created_at=NOW - DAY, rotated_at=NOW - HOUR)) == NOW - HOUR
    assert last_issued_at(a_credential()) is None


def test_readiness_warns_of_a_status_about_an_earlier_spec() -> None:
    """After a suspension while the operator is down, the status alone is misleading."""
    credential = respecified(an_issued_credential(), expires_at=NOW)
    assert readiness(credential) == Readiness("Active", True, "Issued", f"{OUTDATED} The credential works.", up_to_date=False)


def test_readiness_before_the_first_reconciliation() -> None:
    """The status has no phase and no condition."""
    assert readiness(an_agent()) == Readiness("", False, "", OUTDATED, up_to_date=False)


def test_readiness_has_phase_reason_and_message_of_the_operator() -> None:
    """They are those of the Ready condition."""
    refused = a_condition(READY, Reason.AGENT_NOT_FOUND, holds=False, message="No Agent 'screener' in this namespace.")
    credential = restated(an_issued_credential(), phase=CredentialPhase.PENDING, conditions=(refused,))
    expected = Readiness("Pending", False, "AgentNotFound", "No Agent 'screener' in this namespace.", up_to_date=True)
    assert readiness(credential) == expected
