"""Builders of the steps that checks return: the status that a step records, and the time of the next decision."""

from datetime import datetime

from msgspec.structs import replace

from agentidp.domain.identity.valid_after import tokens_from
from agentidp.domain.lifecycle.input import EventNote, Input, IssueSecret, RemoveSecret, Step, Wait, WriteStatus
from agentidp.domain.lifecycle.retirement import consumers_of_postponed, next_review
from agentidp.domain.lifecycle.status import with_delivery, with_ids, with_phase, with_room, without_secrets
from agentidp.domain.resources import CredentialPhase, CredentialStatus
from agentidp.domain.resources.meta import rfc3339
from agentidp.domain.resources.reasons import Reason


def recorded(gathered: Input, status: CredentialStatus) -> Step | None:
    """Return a write of the status, or None where it is recorded already."""
    return WriteStatus(status, _story(gathered, status)) if status != gathered.status else None


def issued(gathered: Input, status: CredentialStatus, reason: Reason) -> Step:
    """Return the issue of a secret, which the token service accepts once its hash is published."""
    status = with_ids(status, gathered.credential, gathered.agent_id)
    status = replace(status, phase=status.phase or CredentialPhase.PENDING, expires_at=gathered.spec.expires_at)
    return IssueSecret(reason, with_room(status, gathered.held))


def held_back(gathered: Input, phase: CredentialPhase, reason: Reason, message: str, now: datetime) -> Step:
    """Record why no secret is accepted for now; hashes and Secret are kept."""
    status = with_phase(with_ids(gathered.status, gathered.credential, None), gathered, phase, reason, message, now)
    return recorded(gathered, status) or Wait(gathered.spec.expires_at)


def undelivered(gathered: Input, reason: Reason, message: str, until: datetime, now: datetime) -> Step:
    """Record why the Secret does not hold an accepted value; hashes stay, for clients that have the secret."""
    status = with_ids(gathered.status, gathered.credential, gathered.agent_id)
    status = with_delivery(status, gathered, reason, message, now)
    status = with_phase(status, gathered, CredentialPhase.PENDING, reason, message, now)
    return recorded(gathered, status) or Wait(next_due(gathered, now, until))


def ended(
    gathered: Input, status: CredentialStatus, phase: CredentialPhase, reason: Reason, message: str, now: datetime
) -> Step:
    """Remove the hashes, then the Secret; the record stays."""
    status = with_phase(without_secrets(with_ids(status, gathered.credential, None)), gathered, phase, reason, message, now)
    status = without_delivery(status, gathered, Reason.SECRET_REMOVED, "Nothing would accept its value.", now)
    return recorded(gathered, status) or removed(gathered, Reason.SECRET_REMOVED) or Wait()


def without_delivery(
    status: CredentialStatus, gathered: Input, reason: Reason, message: str, now: datetime
) -> CredentialStatus:
    """Record why there is no Secret; while a Secret of ours is left, nothing is recorded."""
    if gathered.ours:
        return status
    return replace(with_delivery(status, gathered, reason, message, now), binding=None)


def removed(gathered: Input, reason: Reason) -> Step | None:
    """Remove a Secret of ours, if there is one that is not being deleted already."""
    return RemoveSecret(reason, gathered.removable) if gathered.removable else None


def next_due(gathered: Input, now: datetime, *others: datetime) -> datetime | None:
    """Return the earliest time in the future at which another check may apply."""
    spec, status = gathered.spec, gathered.status
    ends = (entry.not_after for entry in status.secret_hashes)
    review = next_review(status, spec.rotation, now)
    valid = tokens_from(gathered.tokens_valid_after, now)
    timestamps = (spec.expires_at, spec.rotation.requested_at, status.next_rotation_at, review, valid, *ends, *others)
    return min((timestamp for timestamp in timestamps if timestamp and timestamp > now), default=None)


def _story(gathered: Input, status: CredentialStatus) -> EventNote | None:
    """Who keeps an old secret alive, where its end has moved; or that the credential's own end has moved on."""
    consumers = consumers_of_postponed(gathered.status, status, gathered.uses)
    if consumers is not None:
        cause = f"because it is still used, by {', '.join(consumers)}" if consumers else "while its last use is not known"
        return EventNote(Reason.OLD_SECRET_IN_USE, f"An old secret is kept {cause}.")
    return _expiry_moved(gathered.status, status)


def _expiry_moved(before: CredentialStatus, after: CredentialStatus) -> EventNote | None:
    """The credential works for longer than it would have."""
    if before.expires_at is None or before.expires_at == after.expires_at or after.phase is not CredentialPhase.ACTIVE:
        return None
    if after.expires_at and after.expires_at < before.expires_at:
        return None
    until = f"until {rfc3339(after.expires_at)}" if after.expires_at else "without an end"
    note = f"The credential works {until} now; it would have expired at {rfc3339(before.expires_at)}."
    return EventNote(Reason.EXPIRY_POSTPONED, note, warning=False)
