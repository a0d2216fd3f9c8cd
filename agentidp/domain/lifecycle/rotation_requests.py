"""Requested rotations: whether `spec.rotation.requestedAt` asks for another secret than the one in use."""

from datetime import datetime

from agentidp.domain.resources import AgentCredential, CredentialStatus


def asks_for_another(requested: datetime, issued_at: datetime, status: CredentialStatus) -> bool:
    """Later than the secret was made; or its very second, which is how `date` writes what comes after it, too.

    The second counts until it is recorded as served. A secret that is not recorded itself may be the one that was asked for.
    """
    if requested > issued_at:
        return True
    is_recorded = issued_at == recorded_issue(status)
    return is_recorded and is_second_of(requested, issued_at) and requested != status.rotation_requested_at


def is_second_of(requested: datetime, issued_at: datetime) -> bool:
    """Asked for in whole seconds, and the secret was made in that second: either may have been first."""
    return requested == issued_at.replace(microsecond=0)


def recorded_issue(status: CredentialStatus) -> datetime | None:
    """Return the recorded time at which the secret in use was made."""
    return status.rotated_at or status.created_at


def unanswered_request(credential: AgentCredential) -> datetime | None:
    """For when another secret is asked for, until one is recorded. A provided hash is not rotated on request."""
    requested, issued_at = credential.spec.rotation.requested_at, recorded_issue(credential.status)
    if not requested or not issued_at or credential.spec.secret_hash:
        return None
    return requested if asks_for_another(requested, issued_at, credential.status) else None


def next_rotation_due(credential: AgentCredential) -> datetime | None:
    """Return when the next rotation is or was due: by schedule or by request, whichever is earlier."""
    requested, scheduled = unanswered_request(credential), credential.status.next_rotation_at
    return min(requested, scheduled) if requested and scheduled else requested or scheduled
