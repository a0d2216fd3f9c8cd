"""What `rotate` writes, when it is over, and what it says."""

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
    Retirement,
    Rotation,
    Time,
)
from agentidp.domain.resources.conditions import SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.commands.rotate import rotation_request, same
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.views.rotation import intention, is_delivered, outcome, progress
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
    a_uid,
    an_issued_credential,
    respecified,
    restated,
)

DELIVERED = a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED)
UNDELIVERED = a_condition(SECRET_DELIVERED, Reason.API_FORBIDDEN, holds=False)


def requested(spec: Any) -> datetime:
    """The moment that is written."""
    return decode(f'"{spec["rotation"]["requestedAt"]}"', type=Time)


def test_a_rotation_is_requested_for_now() -> None:
    """Nothing else is written."""
    assert rotation_request(an_issued_credential(), NOW, None) == {"rotation": {"requestedAt": "2026-03-01T12:00:00.001Z"}}


def test_a_request_of_date_in_the_same_second_is_another_one() -> None:
    """Though the API server's clock, by which this one is, tells whole seconds as well."""
    served, issued = requested(rotation_request(an_issued_credential(), NOW, None)), NOW + timedelta(milliseconds=300)
    status = CredentialStatus(rotated_at=issued, rotation_requested_at=served)
    assert asks_for_another(NOW, issued, status)
    assert not asks_for_another(served, issued, status)


def test_an_overlap_is_declared_as_it_was_typed() -> None:
    """The API server judges it."""
    assert rotation_request(an_issued_credential(), NOW, "1h30m")["rotation"]["overlap"] == "1h30m"


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(microseconds=999_999), HOUR])
def test_a_request_is_later_than_the_present_secret_also_when_the_clock_is_behind(ahead: timedelta) -> None:
    """Else the operator would rightly ignore it."""
    made = NOW + ahead
    credential = an_issued_credential(a_hash(1, made=ahead))
    assert made < requested(rotation_request(credential, NOW, None)) <= made + timedelta(milliseconds=1)


REFUSED = {
    "a revoked one": (an_issued_credential(state=CredentialState.REVOKED), "is revoked, for good: it is not rotated"),
    "one whose agent was decommissioned": (restated(an_issued_credential(), phase=CredentialPhase.REVOKED), "is revoked"),
    "a provided hash": (an_issued_credential(secret_hash=a_provided_hash()), "has a secret that its owner keeps"),
    "an expired one": (restated(an_issued_credential(), phase=CredentialPhase.EXPIRED), "has expired"),
    "one without a secret": (a_credential(), "has no secret yet"),
}


@pytest.mark.parametrize(("credential", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_the_operator_would_not_rotate_is_refused(credential: AgentCredential, problem: str) -> None:
    """At once, with what to do instead; a request that nothing answers would only look like one."""
    with pytest.raises(CommandError, match=f"AgentCredential talent/screener-key {problem}") as refusal:
        rotation_request(credential, NOW, None)
    assert refusal.value.advice


OVER = {
    "a younger secret is in the Secret": (restated(an_issued_credential(), rotated_at=NOW, conditions=(DELIVERED,)), True),
    "an older one is": (restated(an_issued_credential(), rotated_at=NOW - SECOND, conditions=(DELIVERED,)), False),
    "only the first one was made": (restated(an_issued_credential(), created_at=NOW, conditions=(DELIVERED,)), False),
    "the Secret could not be written": (restated(an_issued_credential(), rotated_at=NOW, conditions=(UNDELIVERED,)), False),
    "nothing is said of a Secret": (restated(an_issued_credential(), rotated_at=NOW, conditions=()), False),
}


@pytest.mark.parametrize(("credential", "over"), OVER.values(), ids=OVER)
def test_waiting_is_over_when(credential: AgentCredential, over: bool) -> None:
    """`rotatedAt` is recorded after the Secret was written."""
    assert is_delivered(credential, NOW) is over


def test_what_is_waited_for_is_told() -> None:
    """As the Ready condition has it; or what keeps the Secret of a credential that works as it is."""
    assert progress(an_issued_credential()) == "Waiting for the operator."
    pending = restated(respecified(an_issued_credential()), phase=CredentialPhase.SUSPENDED, conditions=())
    assert progress(pending).startswith("Waiting while it is Suspended: The operator has not acted")
    refused = a_condition(SECRET_DELIVERED, Reason.API_REFUSED, holds=False, message="exceeded quota")
    kept = restated(an_issued_credential(), conditions=(*an_issued_credential().status.conditions[:1], refused))
    assert progress(kept) == "Waiting: Refused: exceeded quota"


def test_what_becomes_of_the_former_secret_is_told() -> None:
    """Before, by what is declared; after, by what is so."""
    assert "stops working when the new one is delivered" in intention(an_issued_credential())
    assert "goes on working for 1h" in intention(an_issued_credential(rotation=Rotation(overlap="1h")))
    kept = Rotation(overlap="1h", retire=Retirement.WHEN_UNUSED)
    assert "for 1h after the rotation, and longer while it is used" in intention(an_issued_credential(rotation=kept))
    ended = Rotation(overlap="1h", requested_at=NOW, end_overlaps_at=NOW)
    assert "All former secrets stop working" in intention(an_issued_credential(rotation=ended))
    alone = outcome(an_issued_credential(), a_hash(9), NOW)
    assert alone == "Secret 'screener-key' holds the new secret. The former one is not accepted any more."
    former = a_hash(1, made=-DAY, ends=MINUTE)
    both = outcome(an_issued_credential(former, a_hash(2)), former, NOW)
    assert both == (
        "Secret 'screener-key' holds the new secret. The former one is accepted until 2026-03-01T12:01:00Z (in 60s)."
    )


def test_an_older_secret_is_not_taken_for_the_former_one() -> None:
    """`--overlap 0s` after a rotation with 24h: an older secret is accepted still, and how to end it is told."""
    older = a_hash(1, made=-DAY, ends=23 * HOUR)
    told = outcome(an_issued_credential(older, a_hash(3)), a_hash(2), NOW)
    assert told == (
        "Secret 'screener-key' holds the new secret. The former one is not accepted any more."
        " An older one, made at 2026-02-28T12:00:00Z, is accepted until 2026-03-02T11:00:00Z (in 23h)."
        " `kubectl agentidp rotate screener-key --end-overlaps` ends them all."
    )


def test_end_overlaps_ends_what_was_made_before_the_rotation() -> None:
    """The secret in use, too, as soon as it is replaced; the overlap that is declared stays for later rotations."""
    written = rotation_request(an_issued_credential(), NOW, end_overlaps=True)["rotation"]
    assert written == {"requestedAt": "2026-03-01T12:00:00.001Z", "endOverlapsAt": "2026-03-01T12:00:00.001Z"}


def test_a_credential_that_was_made_anew_is_not_the_rotated_one() -> None:
    """Its secret is younger than the request, too; but who waits is not told that theirs was rotated."""
    before = an_issued_credential()
    assert same(before, before) is before
    with pytest.raises(CommandError, match="deleted and made anew"):
        same(before, an_issued_credential(uid=a_uid(8)))
