"""`rotate`: the request that it writes, and the credentials that it refuses."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.json import decode

from agentidp.domain.lifecycle.rotation_requests import asks_for_another
from agentidp.domain.resources import (
    AgentCredential,
    CredentialPhase,
    CredentialState,
    CredentialStatus,
    Time,
)
from agentidp.domain.resources.conditions import SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.commands.rotate import require_same_uid, rotation_request
from kubectl_agentidp.errors import CommandError
from tests.support.worlds import (
    HOUR,
    NOW,
    a_condition,
    a_credential,
    a_hash,
    a_provided_hash,
    a_uid,
    an_issued_credential,
    restated,
)

DELIVERED = a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED)
UNDELIVERED = a_condition(SECRET_DELIVERED, Reason.API_FORBIDDEN, holds=False)


def requested(spec: Any) -> datetime:
    """Return the time that is written."""
    return decode(f'"{spec["rotation"]["requestedAt"]}"', type=Time)


def test_rotation_request_is_for_the_present_time() -> None:
    """The patch has no other field."""
    assert rotation_request(an_issued_credential(), NOW, None) == {"rotation": {"requestedAt": "2026-03-01T12:00:00.001Z"}}


def test_rotation_request_differs_from_one_that_date_writes_in_the_same_second() -> None:
    """The clock of the API server, which the plugin uses, has whole seconds, too."""
    served, issued = requested(rotation_request(an_issued_credential(), NOW, None)), NOW + timedelta(milliseconds=300)
    status = CredentialStatus(rotated_at=issued, rotation_requested_at=served)
    assert asks_for_another(NOW, issued, status)
    assert not asks_for_another(served, issued, status)


def test_rotation_request_declares_the_overlap_as_it_is_written() -> None:
    """The API server validates it."""
    assert rotation_request(an_issued_credential(), NOW, "1h30m")["rotation"]["overlap"] == "1h30m"


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(microseconds=999_999), HOUR])
def test_rotation_request_is_later_than_the_present_secret(ahead: timedelta) -> None:
    """Also if the clock is behind: the operator ignores an earlier request."""
    made = NOW + ahead
    credential = an_issued_credential(a_hash(1, made=ahead))
    assert made < requested(rotation_request(credential, NOW, None)) <= made + timedelta(milliseconds=1)


NOT_ROTATED = {
    "a revoked one": (an_issued_credential(state=CredentialState.REVOKED), "is revoked, for good: it is not rotated"),
    "one whose agent was decommissioned": (restated(an_issued_credential(), phase=CredentialPhase.REVOKED), "is revoked"),
    "a provided hash": (
        an_issued_credential(secret_hash=a_provided_hash()),
        "has a provided hash: the operator does not rotate it",
    ),
    "an expired one": (restated(an_issued_credential(), phase=CredentialPhase.EXPIRED), "has expired"),
    "one without a secret": (a_credential(), "has no secret yet"),
}


@pytest.mark.parametrize(("credential", "problem"), NOT_ROTATED.values(), ids=NOT_ROTATED)
def test_rotation_request_that_the_operator_would_ignore_is_refused(credential: AgentCredential, problem: str) -> None:
    """The error says what to do instead."""
    with pytest.raises(CommandError, match=f"AgentCredential talent/screener-key {problem}") as refusal:
        rotation_request(credential, NOW, None)
    assert refusal.value.advice


def test_rotation_request_ends_overlaps() -> None:
    """`endOverlapsAt` is the time of the request; the declared overlap stays for later rotations."""
    written = rotation_request(an_issued_credential(), NOW, end_overlaps=True)["rotation"]
    assert written == {"requestedAt": "2026-03-01T12:00:00.001Z", "endOverlapsAt": "2026-03-01T12:00:00.001Z"}


def test_rotation_of_a_credential_created_again_fails() -> None:
    """Its secret is younger than the request, but it is not a rotation."""
    before = an_issued_credential()
    assert require_same_uid(before, before) is before
    with pytest.raises(CommandError, match="deleted and created again"):
        require_same_uid(before, an_issued_credential(uid=a_uid(8)))
