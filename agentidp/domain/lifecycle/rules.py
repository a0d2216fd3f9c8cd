"""The policy of a credential's life, as an ordered list of rules: the first that applies wins.

What ends a credential comes first, then what stops it, then what it needs, and last what is due. A rule reads what was
observed and the time, and touches nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.conditions import READY, condition
from agentidp.domain.delivery import Holding
from agentidp.domain.lifecycle.observed import (
    IssueSecret,
    Observed,
    RemoveSecret,
    RepairSecret,
    Step,
    Wait,
    WriteStatus,
)
from agentidp.domain.lifecycle.statuses import (
    next_rotation,
    overlap_of,
    with_delivery,
    with_hashes_retired,
    with_ids,
    with_issue_recorded,
    with_phase,
    with_provided_hash,
    with_room,
    without_secrets,
)
from agentidp.domain.reasons import Reason
from agentidp.domain.resources import AgentState, CredentialPhase, CredentialState, CredentialStatus, Reissues, Rotation

MAX_REISSUES = 5
REISSUE_WINDOW = timedelta(minutes=10)
REISSUE_BACKOFF = timedelta(seconds=1)
FOREIGN_SECRET_RECHECK = timedelta(seconds=30)
"""Only our own Secrets are watched, so nobody tells when a foreign one has gone."""

Rule = Callable[[Observed, datetime], Step | None]


def decide(seen: Observed, now: datetime) -> Step:
    """The one next thing to do for a credential, or `Wait` until when."""
    return next((step for rule in RULES if (step := rule(seen, now))), Wait())


def is_revoked(seen: Observed, now: datetime) -> Step | None:
    """Revoked, now or ever before; or its agent is decommissioned, which ends all its credentials with it."""
    if seen.spec.state is CredentialState.REVOKED:
        reason, message = (
            Reason.CREDENTIAL_REVOKED,
            "The credential is revoked: this cannot be undone, and it is not rotated.",
        )
    elif seen.agent_state is AgentState.DECOMMISSIONED or seen.status.revoked_at:
        reason, message = Reason.AGENT_DECOMMISSIONED, "Its agent was decommissioned, and all its credentials with it."
    else:
        return None
    status = replace(seen.status, revoked_at=seen.status.revoked_at or now)
    return _ended(seen, status, CredentialPhase.REVOKED, reason, message, now)


def agent_is_missing(seen: Observed, now: datetime) -> Step | None:
    """No agent of that name; what was issued is kept for when it comes back, and not accepted meanwhile."""
    if seen.agent:
        return None
    message = f"No Agent {seen.spec.agent_ref.name!r} in this namespace."
    return _held_back(seen, CredentialPhase.PENDING, Reason.AGENT_NOT_FOUND, message, now)


def agent_was_replaced(seen: Observed, now: datetime) -> Step | None:
    """An agent of the same name and another id is another identity: it does not inherit secrets."""
    if not seen.agent_id or seen.status.client_id in (None, seen.agent_id):
        return None
    message = (
        f"Agent {seen.spec.agent_ref.name!r} is not the one that this credential was made for"
        f" ({seen.status.client_id}). Declare a new AgentCredential."
    )
    return _ended(seen, seen.status, CredentialPhase.PENDING, Reason.AGENT_REPLACED, message, now)


def is_expired(seen: Observed, now: datetime) -> Step | None:
    """Past `expiresAt`."""
    if not seen.spec.expires_at or now < seen.spec.expires_at:
        return None
    message = f"Expired at {_at(seen.spec.expires_at)}. A later spec.expiresAt issues a fresh secret."
    return _ended(seen, seen.status, CredentialPhase.EXPIRED, Reason.CREDENTIAL_EXPIRED, message, now)


def agent_is_suspended(seen: Observed, now: datetime) -> Step | None:
    """Hashes and Secret are kept for its return; nothing is made, nothing accepted."""
    if seen.agent_state is not AgentState.SUSPENDED:
        return None
    message = "Its agent is suspended; the same secret works again when the agent is active."
    return _held_back(seen, CredentialPhase.SUSPENDED, Reason.AGENT_SUSPENDED, message, now)


def agent_is_not_ready(seen: Observed, now: datetime) -> Step | None:
    """The agent has no id yet, or may not use it. While its own status is on the way, there is nothing to say yet."""
    if seen.agent_id or not seen.agent:
        return None
    if seen.agent.status.observed_generation != seen.agent.metadata.generation:
        return Wait(seen.spec.expires_at)
    why = condition(seen.agent.status.conditions, READY)
    message = f"Its agent is not ready: {why.message or why.reason}" if why else "Its agent is being registered."
    return _held_back(seen, CredentialPhase.PENDING, Reason.AGENT_NOT_READY, message, now)


def agent_has_too_many(seen: Observed, now: datetime) -> Step | None:
    """The organization bounds how many credentials an agent may have; what was issued is not taken away."""
    if not seen.crowded or seen.status.secret_hashes:
        return None
    message = "The agent has as many credentials as its Organization's spec.limits.credentialsPerAgent allows."
    return _held_back(seen, CredentialPhase.PENDING, Reason.CREDENTIAL_LIMIT_REACHED, message, now)


def hash_is_provided(seen: Observed, now: datetime) -> Step | None:
    """The secret's owner keeps it and provides its hash: published as it is, and no Secret stays behind."""
    provided = seen.spec.secret_hash
    if not provided:
        return None
    status = with_provided_hash(_bound(seen), provided, overlap_of(seen.spec.rotation), now)
    status = with_issue_recorded(status, status.secret_hashes[-1], Rotation(), seen.ours)
    status = with_delivery(status, seen, Reason.SECRET_NOT_WANTED, "spec.secretHash is used: no Secret is written.", now)
    status = _active(status, seen, Reason.PROVIDED, "The secret of the provided hash is accepted.", now)
    return _recorded(seen, status) or _removal(seen, Reason.SECRET_NOT_WANTED) or Wait(_next_due(seen, status, now))


def secret_is_foreign(seen: Observed, now: datetime) -> Step | None:
    """Somebody else's Secret stands where this credential's should: it is never overwritten."""
    if seen.delivery.holding is not Holding.FOREIGN:
        return None
    message = (
        f"Secret {seen.delivery.name!r} exists and is not this credential's. Remove it, or choose another spec.secret.name."
    )
    due = min(now + FOREIGN_SECRET_RECHECK, _next_due(seen, seen.status, now) or datetime.max.replace(tzinfo=UTC))
    return _undelivered(seen, Reason.SECRET_NOT_OWNED, message, due, now)


def nothing_is_delivered(seen: Observed, _now: datetime) -> Step | None:
    """Never issued, or ended and back again, or a crash came before the first delivery."""
    if seen.status.binding or seen.held:
        return None
    return _issue(seen, seen.status, Reason.NOT_ISSUED)


def secret_was_renamed(seen: Observed, _now: datetime) -> Step | None:
    """`spec.secret.name` changed: the same value moves."""
    if seen.held or not seen.earlier or not _is_accepted(seen, seen.earlier.hint):
        return None
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, source=seen.earlier.name)


def secret_has_drifted(seen: Observed, now: datetime) -> Step | None:
    """The Secret is gone, or its value is not accepted: a new value, each time later, and not without end."""
    if seen.held:
        return None
    gone = seen.delivery.holding is Holding.NONE
    reason = Reason.SECRET_MISSING if gone else Reason.SECRET_DRIFTED
    reissues = _reissues_in_window(seen, now)
    if not reissues:
        return _issue(seen, replace(seen.status, reissues=Reissues(count=1, since=now)), reason)
    if reissues.count >= MAX_REISSUES:
        until = reissues.since + REISSUE_WINDOW
        message = f"Something else keeps changing Secret {seen.delivery.name!r}: left alone until {_at(until)}."
        return _undelivered(seen, Reason.SECRET_CONTESTED, message, until, now)
    earliest = _youngest(seen) + REISSUE_BACKOFF * 2 ** (reissues.count - 1)
    if now < earliest:
        return Wait(earliest)
    return _issue(seen, replace(seen.status, reissues=replace(reissues, count=reissues.count + 1)), reason)


def rotation_is_due(seen: Observed, now: datetime) -> Step | None:
    """Requested later than the last rotation (and not for later than now), or the schedule says so."""
    rotation, issued_at = seen.spec.rotation, seen.issued_at
    if not issued_at:
        return None
    if rotation.requested_at and issued_at < rotation.requested_at <= now:
        return _issue(seen, seen.status, Reason.ROTATION_REQUESTED)
    scheduled = next_rotation(rotation, issued_at)
    if scheduled and scheduled <= now:
        return _issue(seen, seen.status, Reason.ROTATION_SCHEDULED)
    return None


def is_settled(seen: Observed, now: datetime) -> Step | None:
    """The Secret holds an accepted value: retire older ones, record it, mend what surrounds it, and wait."""
    if not seen.held:
        return None
    status = with_hashes_retired(_bound(seen), seen.held, overlap_of(seen.spec.rotation), now)
    status = with_issue_recorded(status, seen.held, seen.spec.rotation, seen.delivery.name)
    delivered = f"Secret {seen.delivery.name!r} holds the pair."
    status = with_delivery(status, seen, Reason.SECRET_DELIVERED, delivered, now)
    status = _active(status, seen, Reason.ISSUED, "The credential works.", now)
    return _repair(seen) or _removal_of_earlier(seen) or _recorded(seen, status) or Wait(_next_due(seen, status, now))


RULES: tuple[Rule, ...] = (
    is_revoked,
    agent_is_missing,
    agent_was_replaced,
    is_expired,
    agent_is_suspended,
    agent_is_not_ready,
    agent_has_too_many,
    hash_is_provided,
    secret_is_foreign,
    nothing_is_delivered,
    secret_was_renamed,
    secret_has_drifted,
    rotation_is_due,
    is_settled,
)


def _recorded(seen: Observed, status: CredentialStatus) -> Step | None:
    return WriteStatus(status) if status != seen.status else None


def _bound(seen: Observed) -> CredentialStatus:
    return with_ids(seen.status, seen.credential, seen.agent_id)


def _active(status: CredentialStatus, seen: Observed, reason: Reason, message: str, now: datetime) -> CredentialStatus:
    return with_phase(status, seen, CredentialPhase.ACTIVE, reason, message, now)


def _issue(seen: Observed, status: CredentialStatus, reason: Reason) -> Step:
    status = with_ids(status, seen.credential, seen.agent_id)
    return IssueSecret(reason, with_room(replace(status, phase=status.phase or CredentialPhase.PENDING), seen.held))


def _held_back(seen: Observed, phase: CredentialPhase, reason: Reason, message: str, now: datetime) -> Step:
    """Not accepted for now; all that was issued is kept."""
    status = with_phase(with_ids(seen.status, seen.credential, None), seen, phase, reason, message, now)
    return _recorded(seen, status) or Wait(seen.spec.expires_at)


def _undelivered(seen: Observed, reason: Reason, message: str, until: datetime | None, now: datetime) -> Step:
    """The Secret does not hold the pair; hashes stay, for whoever has the secret still."""
    status = with_delivery(_bound(seen), seen, reason, message, now)
    status = with_phase(status, seen, CredentialPhase.PENDING, reason, message, now)
    return _recorded(seen, status) or Wait(until)


def _ended(
    seen: Observed, status: CredentialStatus, phase: CredentialPhase, reason: Reason, message: str, now: datetime
) -> Step:
    """Nothing is accepted any more: first the hashes go, then the Secret, and the record stays."""
    status = with_phase(without_secrets(with_ids(status, seen.credential, None)), seen, phase, reason, message, now)
    if not seen.ours:
        status = replace(status, binding=None)
        status = with_delivery(status, seen, Reason.SECRET_REMOVED, "Nothing would accept its value.", now)
    return _recorded(seen, status) or _removal(seen, Reason.SECRET_REMOVED) or Wait()


def _removal(seen: Observed, reason: Reason) -> Step | None:
    return RemoveSecret(reason, seen.ours) if seen.ours else None


def _removal_of_earlier(seen: Observed) -> Step | None:
    earlier = seen.earlier
    moved = earlier and earlier.holding is Holding.OURS
    return RemoveSecret(Reason.SECRET_REMOVED, earlier.name) if earlier and moved else None


def _repair(seen: Observed) -> Step | None:
    if seen.delivery.intact:
        return None
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, source=seen.delivery.name)


def _is_accepted(seen: Observed, hint: str | None) -> bool:
    return any(one.hint == hint and not one.not_after for one in seen.status.secret_hashes if hint)


def _reissues_in_window(seen: Observed, now: datetime) -> Reissues | None:
    """Those that still count: a new spec and the end of the window make a fresh start, and so does a clock set back."""
    reissues = seen.status.reissues
    if not reissues or seen.spec_is_new:
        return None
    return reissues if reissues.since <= now < reissues.since + REISSUE_WINDOW else None


def _youngest(seen: Observed) -> datetime:
    return seen.status.secret_hashes[-1].created_at


def _next_due(seen: Observed, status: CredentialStatus, now: datetime) -> datetime | None:
    """The earliest moment at which another rule may apply."""
    moments = [seen.spec.expires_at, status.next_rotation_at, *(one.not_after for one in status.secret_hashes)]
    if seen.spec.rotation.requested_at and seen.spec.rotation.requested_at > now:
        moments.append(seen.spec.rotation.requested_at)
    return min((moment for moment in moments if moment), default=None)


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
