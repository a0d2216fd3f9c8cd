"""The policy of a credential's life, as an ordered list of rules: the first that applies wins.

What ends a credential comes first, then what stops it, then what it needs, then what is due, and last what is to be tidied up.
A rule reads what was observed and the time, and touches nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from agentidp.domain.identity.valid_after import no_token_before
from agentidp.domain.lifecycle.input import Input, RemoveSecret, RepairSecret, Step, Wait
from agentidp.domain.lifecycle.outcomes import (
    ended,
    held_back,
    issued,
    next_due,
    recorded,
    removed,
    undelivered,
    without_delivery,
)
from agentidp.domain.lifecycle.repair_backoff import in_this_window, is_contested, left_alone_until, mended_again
from agentidp.domain.lifecycle.retirement import with_ends_postponed, with_uses
from agentidp.domain.lifecycle.rotation_requests import asks_for_another, recorded_issue
from agentidp.domain.lifecycle.status import (
    next_rotation,
    with_delivery,
    with_hashes_retired,
    with_ids,
    with_issue_recorded,
    with_phase,
    with_provided_hash,
    with_request_served,
    without_undelivered,
)
from agentidp.domain.resources import (
    AgentState,
    Binding,
    CredentialPhase,
    CredentialPolicy,
    CredentialState,
    CredentialStatus,
    Reissues,
    Rotation,
    SecretHash,
)
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.meta import rfc3339
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import SecretOwnership

FOREIGN_SECRET_RECHECK = timedelta(seconds=30)
"""Only our own Secrets are watched, so nobody tells when a foreign one has gone."""

Rule = Callable[[Input, datetime], Step | None]


def decide(seen: Input, now: datetime) -> Step:
    """The one next thing to do for a credential, or `Wait` until when."""
    return next(step for rule in RULES if (step := rule(seen, now)))


def is_revoked(seen: Input, now: datetime) -> Step | None:
    """Revoked, now or ever before; or its agent is decommissioned, which ends all its credentials with it."""
    if seen.spec.state is CredentialState.REVOKED:
        reason, message = (
            Reason.CREDENTIAL_REVOKED,
            "The credential is revoked, which cannot be undone: it is not rotated. Declare a new AgentCredential.",
        )
    elif seen.agent_state is AgentState.DECOMMISSIONED or seen.status.revoked_at:
        reason, message = (
            Reason.AGENT_DECOMMISSIONED,
            "Its agent was decommissioned, and all its credentials with it. Declare a new Agent.",
        )
    else:
        return None
    status = replace(seen.status, revoked_at=seen.status.revoked_at or now)
    return ended(seen, status, CredentialPhase.REVOKED, reason, message, now)


def is_deleted(seen: Input, now: datetime) -> Step | None:
    """Being deleted, and kept by a finalizer: nothing is accepted any more; the Secret goes with the credential."""
    if not seen.credential.metadata.deletion_timestamp:
        return None
    message = (
        "The credential is being deleted and none of its secrets is accepted; the finalizers in its metadata say what the"
        " deletion waits for."
    )
    status = with_ids(seen.status, seen.credential, None)
    status = with_phase(status, seen, CredentialPhase.PENDING, Reason.CREDENTIAL_DELETED, message, now)
    return recorded(seen, status) or Wait()


def is_expired(seen: Input, now: datetime) -> Step | None:
    """Past `expiresAt`."""
    if not seen.spec.expires_at or now < seen.spec.expires_at:
        return None
    message = f"The credential expired at {rfc3339(seen.spec.expires_at)}. A later spec.expiresAt issues a fresh secret."
    return ended(seen, seen.status, CredentialPhase.EXPIRED, Reason.CREDENTIAL_EXPIRED, message, now)


def agent_is_missing(seen: Input, now: datetime) -> Step | None:
    """No agent of that name; what was issued is kept for when it comes back, and not accepted meanwhile."""
    if seen.agent:
        return None
    message = (
        f"There is no Agent {seen.spec.agent_ref.name!r} in this namespace. Create it, or delete this AgentCredential and"
        " declare it with the right spec.agentRef."
    )
    return held_back(seen, CredentialPhase.PENDING, Reason.AGENT_NOT_FOUND, message, now)


def agent_was_replaced(seen: Input, now: datetime) -> Step | None:
    """An agent of the same name and another id is another identity: it does not inherit secrets."""
    if not seen.agent_id or seen.status.client_id in (None, seen.agent_id):
        return None
    message = (
        f"Agent {seen.spec.agent_ref.name!r} is not the one that this credential was made for"
        f" ({seen.status.client_id}). Declare a new AgentCredential."
    )
    return ended(seen, seen.status, CredentialPhase.PENDING, Reason.AGENT_REPLACED, message, now)


def agent_is_suspended(seen: Input, now: datetime) -> Step | None:
    """Hashes and Secret are kept for its return; nothing is made, nothing accepted."""
    if seen.agent_state is not AgentState.SUSPENDED:
        return None
    message = "Its agent is suspended; the same secret works again when the agent is active."
    return held_back(seen, CredentialPhase.SUSPENDED, Reason.AGENT_SUSPENDED, message, now)


def agent_takes_no_secrets(seen: Input, now: datetime) -> Step | None:
    """Its workloads authenticate without; like a suspension it can be taken back, so hashes and Secret are kept."""
    if not seen.agent or seen.agent.spec.credential_policy is not CredentialPolicy.WORKLOAD_ONLY:
        return None
    message = (
        "Its agent takes no secrets (spec.credentialPolicy is WorkloadOnly); the same secret works again when it is"
        " SecretsAllowed. Delete or revoke the credential if that will never be."
    )
    return held_back(seen, CredentialPhase.SUSPENDED, Reason.SECRETS_NOT_ALLOWED, message, now)


def agent_is_not_ready(seen: Input, now: datetime) -> Step | None:
    """The agent has no id yet, or may not use it. While its own status is on the way, there is nothing to say yet."""
    if seen.agent_id or not seen.agent:
        return None
    if seen.agent.status.observed_generation != seen.agent.metadata.generation:
        return Wait(seen.spec.expires_at)
    why = condition(seen.agent.status.conditions, READY)
    message = f"Its agent is not ready: {why.message or why.reason}" if why else "Its agent is being registered."
    return held_back(seen, CredentialPhase.PENDING, Reason.AGENT_NOT_READY, message, now)


def agent_has_too_many(seen: Input, now: datetime) -> Step | None:
    """How many credentials of an agent may have a secret is bounded; what was issued is not taken away."""
    if not seen.crowded or seen.status.secret_hashes:
        return None
    message = (
        "The agent has as many credentials as it may have: as its Organization's spec.limits.credentialsPerAgent says, or"
        " else the operator's setting. The oldest that waits gets its secret when another ends."
    )
    return held_back(seen, CredentialPhase.PENDING, Reason.CREDENTIAL_LIMIT_REACHED, message, now)


def hash_is_provided(seen: Input, now: datetime) -> Step | None:
    """The secret's owner keeps it and provides its hash: published as it is, and no Secret stays behind."""
    provided = seen.spec.secret_hash
    if not provided:
        return None
    status = with_ends_postponed(_bound(seen), seen, now)
    status = with_provided_hash(status, provided, seen.spec.rotation, now)
    status = with_issue_recorded(status, status.secret_hashes[-1], Rotation())
    status = without_delivery(status, seen, Reason.SECRET_NOT_WANTED, "spec.secretHash is used: no Secret is written.", now)
    status = _active(with_uses(status, seen.uses), seen, Reason.PROVIDED, "The secret of the provided hash is accepted.", now)
    return recorded(seen, status) or removed(seen, Reason.SECRET_NOT_WANTED) or Wait(next_due(seen, now))


def secret_is_foreign(seen: Input, now: datetime) -> Step | None:
    """Somebody else's Secret stands where this credential's should: it is never overwritten."""
    if seen.delivery.holding is not SecretOwnership.FOREIGN:
        return None
    message = (
        f"Secret {seen.delivery.name!r} exists and is not this credential's. Remove it, or choose another spec.secret.name."
    )
    return undelivered(seen, Reason.SECRET_NOT_OWNED, message, now + FOREIGN_SECRET_RECHECK, now)


def nothing_is_delivered(seen: Input, _now: datetime) -> Step | None:
    """Never issued, or ended and back again, or a crash came before the first delivery."""
    was_delivered = seen.status.binding or seen.delivery.holding is SecretOwnership.OURS
    if seen.status.secret_hashes and was_delivered:
        return None
    return issued(seen, seen.status, Reason.NOT_ISSUED)


def secret_was_renamed(seen: Input, _now: datetime) -> Step | None:
    """`spec.secret.name` changed: the same value moves."""
    if seen.held or not seen.earlier or not seen.accepting(seen.earlier):
        return None
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, seen.earlier.name, seen.status)


def secret_has_drifted(seen: Input, now: datetime) -> Step | None:
    """The Secret is gone, or its value is not accepted: a new value, each time later, and not without end."""
    if seen.held:
        return None
    lately = _mended_lately(seen, now)
    until = left_alone_until(lately)
    gone = seen.delivery.holding is SecretOwnership.NONE
    reason = Reason.SECRET_MISSING if gone else Reason.SECRET_DRIFTED
    if is_contested(lately):
        return undelivered(seen, Reason.SECRET_CONTESTED, _contested(seen, until), until, now)
    if now < until:
        return undelivered(seen, reason, f"{_drifted(seen, reason)} {_repeated(until)}", until, now)
    status = with_delivery(seen.status, seen, reason, _drifted(seen, reason), now)
    status = with_phase(status, seen, CredentialPhase.PENDING, reason, _drifted(seen, reason), now)
    return issued(seen, replace(status, reissues=mended_again(lately)), reason)


def rotation_is_due(seen: Input, now: datetime) -> Step | None:
    """Requested, or the schedule says so."""
    rotation, issued_at = seen.spec.rotation, seen.issued_at
    if not issued_at or not seen.held:
        return None
    if _is_requested(seen, issued_at, now):
        return issued(seen, _in_use(seen, seen.held, now), Reason.ROTATION_REQUESTED)
    scheduled = next_rotation(rotation, issued_at)
    if scheduled and scheduled <= now:
        return issued(seen, _in_use(seen, seen.held, now), Reason.ROTATION_SCHEDULED)
    return None


def secret_is_in_use(seen: Input, now: datetime) -> Step | None:
    """The Secret holds an accepted value: retire older ones, and record it."""
    if not seen.held:
        return None
    status = with_request_served(_in_use(seen, seen.held, now), seen.spec.rotation, now)
    status = _delivered(status, seen, now)
    return recorded(seen, _active(status, seen, Reason.ISSUED, "The credential works.", now))


def secret_is_not_as_declared(seen: Input, now: datetime) -> Step | None:
    """Its keys, labels or owner differ: the same value is written as declared, but not without end."""
    if seen.delivery.intact:
        return None
    lately = _mended_lately(seen, now)
    until = left_alone_until(lately)
    if now < until:
        return Wait(next_due(seen, now, until))
    status = replace(seen.status, reissues=mended_again(lately))
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, seen.delivery.name, status)


def earlier_secret_remains(seen: Input, _now: datetime) -> Step | None:
    """The value has moved to the Secret of another name."""
    if not seen.earlier or seen.earlier.holding is not SecretOwnership.OURS or seen.earlier.terminating:
        return None
    return RemoveSecret(Reason.SECRET_REMOVED, seen.earlier.name)


def nothing_is_to_do(seen: Input, now: datetime) -> Step | None:
    """Until something is due."""
    return Wait(next_due(seen, now))


RULES: tuple[Rule, ...] = (
    is_revoked,
    is_deleted,
    is_expired,
    agent_is_missing,
    agent_was_replaced,
    agent_is_suspended,
    agent_takes_no_secrets,
    agent_is_not_ready,
    agent_has_too_many,
    hash_is_provided,
    secret_is_foreign,
    nothing_is_delivered,
    secret_was_renamed,
    secret_has_drifted,
    rotation_is_due,
    secret_is_in_use,
    secret_is_not_as_declared,
    earlier_secret_remains,
    nothing_is_to_do,
)


def _is_requested(seen: Input, issued_at: datetime, now: datetime) -> bool:
    """For another secret than the one in use, and not for later than now.

    By a clock that was ahead, the last rotation is yet to come: then later than the last request that was served.
    """
    requested, served = seen.spec.rotation.requested_at, seen.status.rotation_requested_at
    if not requested or requested > now:
        return False
    if asks_for_another(requested, issued_at, seen.status):
        return True
    was_ahead = issued_at > now and issued_at == recorded_issue(seen.status)
    return was_ahead and (served is None or requested > served)


def _bound(seen: Input) -> CredentialStatus:
    return with_ids(seen.status, seen.credential, seen.agent_id)


def _in_use(seen: Input, held: SecretHash, now: datetime) -> CredentialStatus:
    """This hash accepts what the Secret holds: it is the one that was last issued, and older ones retire."""
    status = without_undelivered(_bound(seen), held)
    status = with_ends_postponed(status, seen, now)
    status = with_hashes_retired(status, held, seen.spec.rotation, now)
    return with_issue_recorded(with_uses(status, seen.uses), held, seen.spec.rotation)


def _active(status: CredentialStatus, seen: Input, reason: Reason, message: str, now: datetime) -> CredentialStatus:
    valid = no_token_before(seen.tokens_valid_after, now)
    if valid:
        message = f"Its agent gets no token before {rfc3339(valid)} (spec.tokensValidAfter of the Agent)."
        return with_phase(status, seen, CredentialPhase.PENDING, Reason.TOKENS_NOT_VALID_YET, message, now)
    return with_phase(status, seen, CredentialPhase.ACTIVE, reason, message, now)


def _delivered(status: CredentialStatus, seen: Input, now: datetime) -> CredentialStatus:
    """Whether the Secret holds the pair as declared; where it is bound to, which is the earlier name while that is left."""
    name, lately = seen.delivery.name, _mended_lately(seen, now)
    if not seen.earlier or seen.earlier.holding is not SecretOwnership.OURS:
        status = replace(status, binding=Binding(name=name))
    if seen.delivery.intact:
        return with_delivery(status, seen, Reason.SECRET_DELIVERED, f"Secret {name!r} holds the pair.", now)
    if is_contested(lately):
        return with_delivery(status, seen, Reason.SECRET_CONTESTED, _contested(seen, left_alone_until(lately)), now)
    return status


def _mended_lately(seen: Input, now: datetime) -> Reissues:
    """How often the Secret was mended in this window; a new spec begins another."""
    return in_this_window(None if seen.spec_is_new else seen.status.reissues, now)


def _drifted(seen: Input, reason: Reason) -> str:
    if reason is Reason.SECRET_MISSING:
        return f"Secret {seen.delivery.name!r} is missing: a new secret is issued under the same client id."
    return f"Secret {seen.delivery.name!r} holds a value that is not accepted: a new secret is issued under the same client id."


def _repeated(until: datetime) -> str:
    return f"It was repaired a moment ago and something undid that, so the next repair is at {rfc3339(until)}."


def _contested(seen: Input, until: datetime) -> str:
    return (
        f"Something else keeps changing Secret {seen.delivery.name!r}, so the operator leaves it alone until {rfc3339(until)}."
        " Its managedFields name who writes it (kubectl get secret --show-managed-fields --output=yaml)."
    )
