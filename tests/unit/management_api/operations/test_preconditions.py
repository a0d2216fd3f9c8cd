"""Preconditions of changes: what may become of a credential over REST."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, CredentialState, PendingChange
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from management_api.cache.metadata import CHANGED_AT, GENERATED_BY
from management_api.errors import ApiFailure, Code
from management_api.operations import preconditions
from management_api.operations.pending_changes import rotation
from tests.support.management_parts import a_cached_agent, a_cached_credential, a_credential_with_hash
from tests.support.worlds import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_hash,
    a_rotation,
    a_suspended_agent,
    an_issued_credential,
    restated,
)

OLD, NEW = (f"$2b$10${letter * 53}" for letter in "ab")
YOUNG = a_hash(1, made=SECOND / 2)

BUSY = {
    "a rotation is requested and not done yet": an_issued_credential(rotation=a_rotation(requested=-MINUTE)),
    "in whole seconds, in the second in which the secret was made": an_issued_credential(
        YOUNG, rotation=a_rotation(requested=timedelta())
    ),
}
FREE = {
    "the last request was served": an_issued_credential(rotation=a_rotation(requested=-2 * HOUR)),
    "within the second that it named": restated(
        an_issued_credential(YOUNG, rotation=a_rotation(requested=timedelta())), rotation_requested_at=NOW
    ),
}


def test_secrets_are_for_active_agents() -> None:
    """403 AGENT_NOT_ACTIVE for others."""
    preconditions.require_active(a_cached_agent())
    with pytest.raises(ApiFailure) as raised:
        preconditions.require_active(replace(a_cached_agent(), spec=a_suspended_agent().spec))
    assert raised.value.code is Code.AGENT_NOT_ACTIVE


@pytest.mark.parametrize("credential", BUSY.values(), ids=BUSY)
def test_rotation_of_a_credential_that_is_being_rotated_is_refused(credential: AgentCredential) -> None:
    """Of two rotations at once, one fails and is tried again."""
    with pytest.raises(ApiFailure, match="Another change of this credential is under way"):
        preconditions.require_rotatable(credential, None)


@pytest.mark.parametrize("credential", FREE.values(), ids=FREE)
def test_rotation_of_a_settled_credential_is_admitted(credential: AgentCredential) -> None:
    """Whoever has requested the last one."""
    preconditions.require_rotatable(credential, None)


def test_rotation_of_an_expired_credential_needs_a_later_expiry() -> None:
    """400, with the field that is missing."""
    expired = an_issued_credential(expires_at=NOW - HOUR)
    with pytest.raises(ApiFailure) as raised:
        preconditions.require_rotatable(expired, None)
    assert set(raised.value.details) == {"expiresAt"}
    preconditions.require_rotatable(expired, NOW + 1_000_000 * HOUR)


def test_rotation_of_a_declared_hash_is_refused() -> None:
    """Decision 13: applied again, the manifest would bring the old secret back."""
    declared = a_credential_with_hash(OLD)
    with pytest.raises(ApiFailure) as raised:
        preconditions.require_generated(declared)
    assert "spec.secretHash" in raised.value.details["credentialId"]
    annotations = {GENERATED_BY: "management-api"}
    preconditions.require_generated(replace(declared, metadata=replace(declared.metadata, annotations=annotations)))


def test_rotation_after_another_write_is_refused() -> None:
    """Also where the other write left nothing but its annotation: a rollback of a change of which nothing was written yet."""
    before = a_credential_with_hash(OLD)
    after = replace(before, metadata=replace(before.metadata, annotations={CHANGED_AT: "later"}))
    assert preconditions.unless_superseded(before, before, {"spec": {}}) == {"spec": {}}
    with pytest.raises(ApiFailure, match="came first"):
        preconditions.unless_superseded(before, after, {"spec": {}})


IN_EFFECT = {"it has the hash": a_credential_with_hash(NEW)}
NOT_IN_EFFECT = {
    "it has another hash": a_credential_with_hash(OLD),
    "it is revoked": a_credential_with_hash(NEW, state=CredentialState.REVOKED),
}


@pytest.mark.parametrize("case", IN_EFFECT | NOT_IN_EFFECT)
def test_secret_of_a_change_is_returned_only_in_effect(case: str) -> None:
    """Else its caller would have a secret that is refused."""
    change = PendingChange(spec=rotation(a_credential_with_hash(OLD), NEW, "a-request"))
    if case in IN_EFFECT:
        preconditions.require_in_effect(IN_EFFECT[case], change)
    else:
        with pytest.raises(ApiFailure):
            preconditions.require_in_effect(NOT_IN_EFFECT[case], change)


def test_revocation_of_a_revoked_credential_is_refused() -> None:
    """409: the first revocation's annotations stay."""
    patch = preconditions.revocation_patch(an_issued_credential(), {"a": "b"})
    assert patch == {"metadata": {"annotations": {"a": "b"}}, "spec": {"state": "Revoked"}}
    with pytest.raises(ApiFailure) as raised:
        preconditions.revocation_patch(an_issued_credential(state=CredentialState.REVOKED), {})
    assert raised.value.code is Code.CREDENTIAL_ALREADY_REVOKED


def test_hash_is_published_when_the_operator_has_observed_it() -> None:
    """With the hint, which the token service looks a secret up by; an earlier generation does not count."""
    entry = a_hash(1)
    secret = GeneratedSecret("", entry.hash, entry.hint or "")
    credential = a_cached_credential(hashes=(entry,))
    assert preconditions.is_published(credential, secret)
    assert not preconditions.is_published(replace(credential, is_settled=False), secret)
    assert not preconditions.is_published(credential, secret._replace(hint="0f0f0f0f"))


def test_hash_that_ends_overlaps_is_published_when_no_other_one_is() -> None:
    """manage-credentials.md: at the response no older secret is accepted, so the operator has to have ended them."""
    entry = a_hash(2)
    secret = GeneratedSecret("", entry.hash, entry.hint or "")
    overlapping, alone = (a_cached_credential(hashes=hashes) for hashes in ((a_hash(1), entry), (entry,)))
    assert preconditions.is_published(overlapping, secret)
    assert not preconditions.is_published(overlapping, secret, alone=True)
    assert preconditions.is_published(alone, secret, alone=True)


def test_secret_is_delivered_when_it_is_younger_than_the_request() -> None:
    """And when the Secret has a name."""
    credential = a_cached_credential(issued=NOW, secret_name="screener-key")
    assert preconditions.is_delivered(credential, NOW)
    assert not preconditions.is_delivered(credential, NOW + SECOND)
    assert not preconditions.is_delivered(replace(credential, secret_name=None), NOW)


def test_next_rotation_time_is_later_than_the_last_rotation() -> None:
    """Also where the operator's clock is ahead: a request at an earlier time would count as served."""
    ahead = restated(an_issued_credential(), created_at=NOW + 1_000_000 * HOUR)
    assert preconditions.next_rotation_time(ahead) > NOW + 1_000_000 * HOUR
