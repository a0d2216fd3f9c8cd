"""Derivations of one status of a credential from another. Each function returns a new status and decides nothing."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.identity.clients import accepted_until
from agentidp.domain.lifecycle.input import Input, IssueSecret, RepairSecret, Step
from agentidp.domain.lifecycle.rotation_requests import is_second_of, recorded_issue
from agentidp.domain.resources import (
    AgentCredential,
    CredentialPhase,
    CredentialStatus,
    ProvidedHash,
    Rotation,
    SecretHash,
)
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED, condition, with_condition
from agentidp.domain.resources.meta import parse_duration
from agentidp.domain.resources.reasons import Reason

MAX_HASHES = 5


def with_ids(status: CredentialStatus, credential: AgentCredential, agent_id: str | None) -> CredentialStatus:
    """The credential's id is its uid; the client's id is the agent's, and stays the one first bound."""
    return replace(status, credential_id=credential.metadata.uid, client_id=status.client_id or agent_id)


def with_phase(
    status: CredentialStatus, gathered: Input, phase: CredentialPhase, reason: Reason, message: str, now: datetime
) -> CredentialStatus:
    """The phase and the Ready condition that explains it, for the spec as it is; a new spec begins a new count of repairs."""
    conditions = with_condition(
        status.conditions, READY, phase is CredentialPhase.ACTIVE, reason, message, gathered.generation, now
    )
    return replace(
        status,
        phase=phase,
        conditions=conditions,
        observed_generation=gathered.generation,
        expires_at=gathered.spec.expires_at,
        reissues=None if gathered.spec_is_new else status.reissues,
    )


def with_delivery(status: CredentialStatus, gathered: Input, reason: Reason, message: str, now: datetime) -> CredentialStatus:
    """Return the status with this SecretDelivered condition."""
    delivered = reason is Reason.SECRET_DELIVERED
    conditions = with_condition(status.conditions, SECRET_DELIVERED, delivered, reason, message, gathered.generation, now)
    return replace(status, conditions=conditions)


def without_secrets(status: CredentialStatus) -> CredentialStatus:
    """Return the status without hashes, and without anything due."""
    return replace(status, secret_hashes=(), next_rotation_at=None, reissues=None)


def without_undelivered(status: CredentialStatus, held: SecretHash) -> CredentialStatus:
    """Without hashes that were made since the last record and before the one in use: their values died with an operator.

    Nobody knows them, so they must not take the place of one in its overlap.
    """
    hashes, last = status.secret_hashes, _last_in_use(status)
    place = hashes.index(held)
    since = hashes.index(last) + 1 if last in hashes[:place] else place
    return replace(status, secret_hashes=(*hashes[:since], *hashes[place:]))


def with_hashes_retired(status: CredentialStatus, held: SecretHash, rotation: Rotation, now: datetime) -> CredentialStatus:
    """Older hashes than the one in use end now, or after the overlap; one whose end has passed is dropped.

    A younger hash is one whose value never reached the Secret, or is only on its way: it stays until a younger one is in use.
    """
    place = status.secret_hashes.index(held)
    older = (_retired(entry, rotation, now) for entry in status.secret_hashes[:place])
    kept = tuple(entry for entry in older if not _is_past(entry, now))
    return replace(status, secret_hashes=(*kept, *status.secret_hashes[place:]))


def with_issue_recorded(status: CredentialStatus, held: SecretHash, rotation: Rotation) -> CredentialStatus:
    """When the secret in use was made, and when the next one is due."""
    created, rotated = status.created_at, status.rotated_at
    if created is None:
        created = held.created_at
    elif held.created_at > (rotated or created):
        rotated = held.created_at
    return replace(status, created_at=created, rotated_at=rotated, next_rotation_at=next_rotation(rotation, rotated or created))


def with_request_served(status: CredentialStatus, rotation: Rotation, now: datetime) -> CredentialStatus:
    """A rotation that was requested for now, or earlier, was done by the secret in use; the last one that was is recorded.

    That is the latest, or the very second in which the secret was made: it may have come after a fraction of that second.
    """
    requested, served, made = rotation.requested_at, status.rotation_requested_at, recorded_issue(status)
    if not requested or requested > now:
        return status
    is_last = served is None or requested > served or (made is not None and is_second_of(requested, made))
    return replace(status, rotation_requested_at=requested) if is_last else status


def with_fresh_hash(status: CredentialStatus, hashed: str, hint: str | None, now: datetime) -> CredentialStatus:
    """One more hash, the youngest that there ever was, also when the clock was set back."""
    earlier = (status.created_at, status.rotated_at, *(entry.created_at for entry in status.secret_hashes))
    timestamp = max([now, *(entry + timedelta(milliseconds=1) for entry in earlier if entry)])
    return replace(status, secret_hashes=(*status.secret_hashes, SecretHash(hash=hashed, hint=hint, created_at=timestamp)))


def with_room(status: CredentialStatus, held: SecretHash | None) -> CredentialStatus:
    """Room for one more hash: values that nobody was told go first, then what ends first; never the one in use.

    Where no Secret holds the value in use, workloads may have it still.
    """
    in_use = held or _last_in_use(status)
    hashes = list(status.secret_hashes)
    while len(hashes) >= MAX_HASHES:
        spare = [entry for entry in hashes if entry != in_use]
        untold = [entry for entry in spare if not entry.not_after]
        hashes.remove(untold[0] if untold else min(spare, key=lambda entry: entry.not_after or entry.created_at))
    return replace(status, secret_hashes=tuple(hashes))


def with_provided_hash(status: CredentialStatus, provided: ProvidedHash, rotation: Rotation, now: datetime) -> CredentialStatus:
    """The hash that the secret's owner provides is the one in use, and the youngest; what was in use before retires."""
    if not status.secret_hashes or not _is_provided(status.secret_hashes[-1], provided):
        others = tuple(entry for entry in status.secret_hashes if entry.hash != provided.hash)
        room = with_room(replace(status, secret_hashes=others), None)
        status = with_fresh_hash(room, provided.hash, provided.hint, now)
    return with_hashes_retired(status, status.secret_hashes[-1], rotation, now)


def with_write_refused(
    credential: AgentCredential, step: Step, reason: Reason, message: str, now: datetime
) -> CredentialStatus:
    """The API server would not let a Secret be written, as this step asks; whether the credential still works does not change.

    Nobody fought over the Secret, so the write does not count as one that was undone.
    """
    status, generation = credential.status, credential.metadata.generation
    conditions = with_condition(status.conditions, SECRET_DELIVERED, False, reason, message, generation, now)
    delivering = isinstance(step, IssueSecret | RepairSecret) and status.phase is not CredentialPhase.ACTIVE
    if delivering or not condition(conditions, READY):
        conditions = with_condition(conditions, READY, False, reason, message, generation, now)
    return replace(status, phase=status.phase or CredentialPhase.PENDING, reissues=None, conditions=conditions)


def next_rotation(rotation: Rotation, issued_at: datetime) -> datetime | None:
    """Return the time of the next rotation by schedule, if there is a schedule."""
    return issued_at + parse_duration(rotation.every) if rotation.every else None


def overlap_of(rotation: Rotation) -> timedelta:
    """Return how long an old secret works after a rotation; zero where no overlap is declared."""
    return parse_duration(rotation.overlap) if rotation.overlap else timedelta()


def _retired(entry: SecretHash, rotation: Rotation, now: datetime) -> SecretHash:
    retired = entry if entry.not_after else replace(entry, not_after=now + overlap_of(rotation))
    return replace(retired, not_after=accepted_until(retired, rotation))


def _is_past(entry: SecretHash, now: datetime) -> bool:
    return entry.not_after is not None and entry.not_after <= now


def _is_provided(entry: SecretHash, provided: ProvidedHash) -> bool:
    return (entry.hash, entry.hint, entry.not_after) == (provided.hash, provided.hint, None)


def _last_in_use(status: CredentialStatus) -> SecretHash | None:
    """Return the hash of the secret that was last recorded as in use."""
    made = recorded_issue(status)
    return next((entry for entry in status.secret_hashes if entry.created_at == made and not entry.not_after), None)
