"""How a rule that applies becomes a step: what is recorded of it, and when to look again. No rule lives here."""

from datetime import datetime

from msgspec.structs import replace

from agentidp.domain.identity.valid_after import tokens_from
from agentidp.domain.lifecycle.input import EventNote, Input, IssueSecret, RemoveSecret, Step, Wait, WriteStatus
from agentidp.domain.lifecycle.retirement import consumers_of_postponed, next_review
from agentidp.domain.lifecycle.status import with_delivery, with_ids, with_phase, with_room, without_secrets
from agentidp.domain.resources import CredentialPhase, CredentialStatus
from agentidp.domain.resources.meta import rfc3339
from agentidp.domain.resources.reasons import Reason


def recorded(seen: Input, status: CredentialStatus) -> Step | None:
    """Write it, if that is news."""
    return WriteStatus(status, _story(seen, status)) if status != seen.status else None


def issued(seen: Input, status: CredentialStatus, reason: Reason) -> Step:
    """Make a secret; the token service accepts it from the moment that its hash is published."""
    status = with_ids(status, seen.credential, seen.agent_id)
    status = replace(status, phase=status.phase or CredentialPhase.PENDING, expires_at=seen.spec.expires_at)
    return IssueSecret(reason, with_room(status, seen.held))


def held_back(seen: Input, phase: CredentialPhase, reason: Reason, message: str, now: datetime) -> Step:
    """Not accepted for now; all that was issued is kept."""
    status = with_phase(with_ids(seen.status, seen.credential, None), seen, phase, reason, message, now)
    return recorded(seen, status) or Wait(seen.spec.expires_at)


def undelivered(seen: Input, reason: Reason, message: str, until: datetime, now: datetime) -> Step:
    """The Secret does not hold the pair; hashes stay, for whoever has the secret still."""
    status = with_ids(seen.status, seen.credential, seen.agent_id)
    status = with_delivery(status, seen, reason, message, now)
    status = with_phase(status, seen, CredentialPhase.PENDING, reason, message, now)
    return recorded(seen, status) or Wait(next_due(seen, now, until))


def ended(seen: Input, status: CredentialStatus, phase: CredentialPhase, reason: Reason, message: str, now: datetime) -> Step:
    """Nothing is accepted any more: first the hashes go, then the Secret, and the record stays."""
    status = with_phase(without_secrets(with_ids(status, seen.credential, None)), seen, phase, reason, message, now)
    status = without_delivery(status, seen, Reason.SECRET_REMOVED, "Nothing would accept its value.", now)
    return recorded(seen, status) or removed(seen, Reason.SECRET_REMOVED) or Wait()


def without_delivery(status: CredentialStatus, seen: Input, reason: Reason, message: str, now: datetime) -> CredentialStatus:
    """There is no Secret of ours, and why; while one is left, its removal is not recorded."""
    if seen.ours:
        return status
    return replace(with_delivery(status, seen, reason, message, now), binding=None)


def removed(seen: Input, reason: Reason) -> Step | None:
    """Remove a Secret of ours, if there is one that is not being deleted already."""
    return RemoveSecret(reason, seen.removable) if seen.removable else None


def next_due(seen: Input, now: datetime, *others: datetime) -> datetime | None:
    """The earliest moment to come at which another rule may apply."""
    spec, status = seen.spec, seen.status
    ends = (one.not_after for one in status.secret_hashes)
    review = next_review(status, spec.rotation, now)
    valid = tokens_from(seen.tokens_valid_after, now)
    moments = (spec.expires_at, spec.rotation.requested_at, status.next_rotation_at, review, valid, *ends, *others)
    return min((moment for moment in moments if moment and moment > now), default=None)


def _story(seen: Input, status: CredentialStatus) -> EventNote | None:
    """Who keeps an old secret alive, where its end has moved; or that the credential's own end has moved on."""
    consumers = consumers_of_postponed(seen.status, status, seen.uses)
    if consumers is not None:
        who = ", ".join(consumers) or "an unknown client, because the token service does not answer"
        return EventNote(Reason.OLD_SECRET_IN_USE, f"An old secret is kept because it is still used, by {who}.")
    return _expiry_moved(seen.status, status)


def _expiry_moved(before: CredentialStatus, after: CredentialStatus) -> EventNote | None:
    """The credential works for longer than it would have."""
    if before.expires_at is None or before.expires_at == after.expires_at or after.phase is not CredentialPhase.ACTIVE:
        return None
    if after.expires_at and after.expires_at < before.expires_at:
        return None
    until = f"until {rfc3339(after.expires_at)}" if after.expires_at else "without an end"
    note = f"The credential works {until} now; it would have expired at {rfc3339(before.expires_at)}."
    return EventNote(Reason.EXPIRY_POSTPONED, note, warning=False)
