"""Policy chain of a credential: an ordered list of checks, of which the first that applies names the next step.

Flows in: what was gathered (`input.Input`: the credential, its agent, its Secret, the last uses) and the time. Flows out: one
step: write a status, issue a secret, repair or remove the Secret, or wait until a time. The executor does the step, gathers
anew, and asks again, until the answer is to wait. A check has no side effect, so a crash between two steps loses nothing
(concepts.md). Ready must be what the token service decides (decision 44).
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
from agentidp.domain.lifecycle.repair_backoff import current_window, is_conflict, next_repair_at, with_repair
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
"""The operator watches its own Secrets only, so it polls for the end of a foreign one."""

Check = Callable[[Input, datetime], Step | None]


def decide(gathered: Input, now: datetime) -> Step:
    """Return the next step for a credential."""
    return next(step for check in POLICY_CHAIN if (step := check(gathered, now)))


def is_revoked(gathered: Input, now: datetime) -> Step | None:
    """End a credential that is or ever was revoked, or whose agent is decommissioned."""
    if gathered.spec.state is CredentialState.REVOKED:
        reason, message = (
            Reason.CREDENTIAL_REVOKED,
            "The credential is revoked, which cannot be undone: it is not rotated. Declare a new AgentCredential.",
        )
    elif gathered.agent_state is AgentState.DECOMMISSIONED or gathered.status.revoked_at:
        reason, message = (
            Reason.AGENT_DECOMMISSIONED,
            "Its agent was decommissioned, and all its credentials with it. Declare a new Agent.",
        )
    else:
        return None
    status = replace(gathered.status, revoked_at=gathered.status.revoked_at or now)
    return ended(gathered, status, CredentialPhase.REVOKED, reason, message, now)


def is_deleted(gathered: Input, now: datetime) -> Step | None:
    """Report a deletion that waits for a finalizer; the garbage collector removes the Secret with the credential."""
    if not gathered.credential.metadata.deletion_timestamp:
        return None
    message = (
        "The credential is being deleted and none of its secrets is accepted; the finalizers in its metadata say what the"
        " deletion waits for."
    )
    status = with_ids(gathered.status, gathered.credential, None)
    status = with_phase(status, gathered, CredentialPhase.PENDING, Reason.CREDENTIAL_DELETED, message, now)
    return recorded(gathered, status) or Wait()


def is_expired(gathered: Input, now: datetime) -> Step | None:
    """End a credential whose `expiresAt` has passed."""
    if not gathered.spec.expires_at or now < gathered.spec.expires_at:
        return None
    message = f"The credential expired at {rfc3339(gathered.spec.expires_at)}. A later spec.expiresAt issues a fresh secret."
    return ended(gathered, gathered.status, CredentialPhase.EXPIRED, Reason.CREDENTIAL_EXPIRED, message, now)


def agent_is_missing(gathered: Input, now: datetime) -> Step | None:
    """Hold back a credential whose agent does not exist; the same secret works again when the agent comes back."""
    if gathered.agent:
        return None
    message = (
        f"There is no Agent {gathered.spec.agent_ref.name!r} in this namespace. Create it, or delete this AgentCredential and"
        " declare it with the right spec.agentRef."
    )
    return held_back(gathered, CredentialPhase.PENDING, Reason.AGENT_NOT_FOUND, message, now)


def agent_was_replaced(gathered: Input, now: datetime) -> Step | None:
    """End a credential whose agent has another id than before: another identity inherits no secret (decision 4)."""
    if not gathered.agent_id or gathered.status.client_id in (None, gathered.agent_id):
        return None
    message = (
        f"Agent {gathered.spec.agent_ref.name!r} is not the one that this credential was made for"
        f" ({gathered.status.client_id}). Declare a new AgentCredential."
    )
    return ended(gathered, gathered.status, CredentialPhase.PENDING, Reason.AGENT_REPLACED, message, now)


def agent_is_suspended(gathered: Input, now: datetime) -> Step | None:
    """Hold back a credential of a suspended agent; hashes and Secret are kept."""
    if gathered.agent_state is not AgentState.SUSPENDED:
        return None
    message = "Its agent is suspended; the same secret works again when the agent is active."
    return held_back(gathered, CredentialPhase.SUSPENDED, Reason.AGENT_SUSPENDED, message, now)


def agent_takes_no_secrets(gathered: Input, now: datetime) -> Step | None:
    """Hold back a credential of an agent with WorkloadOnly; hashes and Secret are kept, because the policy may change back."""
    if not gathered.agent or gathered.agent.spec.credential_policy is not CredentialPolicy.WORKLOAD_ONLY:
        return None
    message = (
        "Its agent takes no secrets (spec.credentialPolicy is WorkloadOnly); the same secret works again when it is"
        " SecretsAllowed. Delete or revoke the credential if that will never be."
    )
    return held_back(gathered, CredentialPhase.SUSPENDED, Reason.SECRETS_NOT_ALLOWED, message, now)


def agent_is_not_ready(gathered: Input, now: datetime) -> Step | None:
    """Hold back a credential whose agent has no id or may not use it; wait while the agent's own status is outdated."""
    if gathered.agent_id or not gathered.agent:
        return None
    if gathered.agent.status.observed_generation != gathered.agent.metadata.generation:
        return Wait(gathered.spec.expires_at)
    why = condition(gathered.agent.status.conditions, READY)
    message = f"Its agent is not ready: {why.message or why.reason}" if why else "Its agent is being registered."
    return held_back(gathered, CredentialPhase.PENDING, Reason.AGENT_NOT_READY, message, now)


def agent_has_too_many(gathered: Input, now: datetime) -> Step | None:
    """Hold back a credential beyond the limit of its agent; a secret that was issued is not taken away."""
    if not gathered.crowded or gathered.status.secret_hashes:
        return None
    message = (
        "The agent has as many credentials as it may have: as its Organization's spec.limits.credentialsPerAgent says, or"
        " else the operator's setting. The oldest that waits gets its secret when another ends."
    )
    return held_back(gathered, CredentialPhase.PENDING, Reason.CREDENTIAL_LIMIT_REACHED, message, now)


def hash_is_provided(gathered: Input, now: datetime) -> Step | None:
    """Publish the hash in `spec.secretHash`, and remove a Secret that was delivered before."""
    provided = gathered.spec.secret_hash
    if not provided:
        return None
    status = with_ends_postponed(_bound(gathered), gathered, now)
    status = with_provided_hash(status, provided, gathered.spec.rotation, now)
    status = with_issue_recorded(status, status.secret_hashes[-1], Rotation())
    status = without_delivery(status, gathered, Reason.SECRET_NOT_WANTED, "spec.secretHash is used: no Secret is written.", now)
    status = _active(
        with_uses(status, gathered.uses), gathered, Reason.PROVIDED, "The secret of the provided hash is accepted.", now
    )
    return recorded(gathered, status) or removed(gathered, Reason.SECRET_NOT_WANTED) or Wait(next_due(gathered, now))


def secret_is_foreign(gathered: Input, now: datetime) -> Step | None:
    """Report a Secret of that name that is not the credential's; it is never overwritten."""
    if gathered.delivery.holding is not SecretOwnership.FOREIGN:
        return None
    message = (
        f"Secret {gathered.delivery.name!r} exists and is not this credential's. Remove it, or choose another spec.secret.name."
    )
    return undelivered(gathered, Reason.SECRET_NOT_OWNED, message, now + FOREIGN_SECRET_RECHECK, now)


def nothing_is_delivered(gathered: Input, _now: datetime) -> Step | None:
    """Issue the first secret, also after an end that was taken back or a crash before the first delivery."""
    was_delivered = gathered.status.binding or gathered.delivery.holding is SecretOwnership.OURS
    if gathered.status.secret_hashes and was_delivered:
        return None
    return issued(gathered, gathered.status, Reason.NOT_ISSUED)


def secret_was_renamed(gathered: Input, _now: datetime) -> Step | None:
    """Move the value to the Secret of the new `spec.secret.name`."""
    if gathered.held or not gathered.earlier or not gathered.accepting(gathered.earlier):
        return None
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, gathered.earlier.name, gathered.status)


def secret_has_drifted(gathered: Input, now: datetime) -> Step | None:
    """Issue a new secret where the Secret is missing or holds a value that is not accepted; each repair waits longer."""
    if gathered.held:
        return None
    lately = _recent_repairs(gathered, now)
    until = next_repair_at(lately)
    gone = gathered.delivery.holding is SecretOwnership.NONE
    reason = Reason.SECRET_MISSING if gone else Reason.SECRET_DRIFTED
    if is_conflict(lately):
        return undelivered(gathered, Reason.SECRET_CONTESTED, _contested_message(gathered, until), until, now)
    if now < until:
        return undelivered(gathered, reason, f"{_drift_message(gathered, reason)} {_next_repair_message(until)}", until, now)
    status = with_delivery(gathered.status, gathered, reason, _drift_message(gathered, reason), now)
    status = with_phase(status, gathered, CredentialPhase.PENDING, reason, _drift_message(gathered, reason), now)
    return issued(gathered, replace(status, reissues=with_repair(lately)), reason)


def rotation_is_due(gathered: Input, now: datetime) -> Step | None:
    """Issue a new secret where a rotation is requested, or due by schedule."""
    rotation, issued_at = gathered.spec.rotation, gathered.issued_at
    if not issued_at or not gathered.held:
        return None
    if _is_requested(gathered, issued_at, now):
        return issued(gathered, _in_use(gathered, gathered.held, now), Reason.ROTATION_REQUESTED)
    scheduled = next_rotation(rotation, issued_at)
    if scheduled and scheduled <= now:
        return issued(gathered, _in_use(gathered, gathered.held, now), Reason.ROTATION_SCHEDULED)
    return None


def secret_is_in_use(gathered: Input, now: datetime) -> Step | None:
    """Retire older hashes than that of the value in the Secret, and record it."""
    if not gathered.held:
        return None
    status = with_request_served(_in_use(gathered, gathered.held, now), gathered.spec.rotation, now)
    status = _delivered(status, gathered, now)
    return recorded(gathered, _active(status, gathered, Reason.ISSUED, "The credential works.", now))


def secret_is_not_as_declared(gathered: Input, now: datetime) -> Step | None:
    """Repair keys, labels or owner of the Secret, keeping its value; each repair waits longer."""
    if gathered.delivery.intact:
        return None
    lately = _recent_repairs(gathered, now)
    until = next_repair_at(lately)
    if now < until:
        return Wait(next_due(gathered, now, until))
    status = replace(gathered.status, reissues=with_repair(lately))
    return RepairSecret(Reason.SECRET_METADATA_DRIFTED, gathered.delivery.name, status)


def earlier_secret_remains(gathered: Input, _now: datetime) -> Step | None:
    """Remove the Secret of the earlier name."""
    if not gathered.earlier or gathered.earlier.holding is not SecretOwnership.OURS or gathered.earlier.terminating:
        return None
    return RemoveSecret(Reason.SECRET_REMOVED, gathered.earlier.name)


def nothing_is_to_do(gathered: Input, now: datetime) -> Step | None:
    """Wait until something is due."""
    return Wait(next_due(gathered, now))


POLICY_CHAIN: tuple[Check, ...] = (
    # What ends a credential, for good or until its spec changes: nothing is accepted.
    is_revoked,
    is_deleted,
    is_expired,
    # What its agent lacks: nothing is accepted, and what was issued is kept where it may be accepted again.
    agent_is_missing,
    agent_was_replaced,
    agent_is_suspended,
    agent_takes_no_secrets,
    agent_is_not_ready,
    agent_has_too_many,
    # Where the secret comes from: its owner provides the hash, or the operator makes it and delivers it to a Secret.
    hash_is_provided,
    secret_is_foreign,
    nothing_is_delivered,
    secret_was_renamed,
    secret_has_drifted,
    # What is due: rotation, the end of older hashes, the record.
    rotation_is_due,
    secret_is_in_use,
    # What is to be tidied up, while the credential works.
    secret_is_not_as_declared,
    earlier_secret_remains,
    nothing_is_to_do,
)


def _is_requested(gathered: Input, issued_at: datetime, now: datetime) -> bool:
    """For another secret than the one in use, and not for later than now.

    By a clock that was ahead, the last rotation is yet to come: then later than the last request that was served.
    """
    requested, served = gathered.spec.rotation.requested_at, gathered.status.rotation_requested_at
    if not requested or requested > now:
        return False
    if asks_for_another(requested, issued_at, gathered.status):
        return True
    was_ahead = issued_at > now and issued_at == recorded_issue(gathered.status)
    return was_ahead and (served is None or requested > served)


def _bound(gathered: Input) -> CredentialStatus:
    return with_ids(gathered.status, gathered.credential, gathered.agent_id)


def _in_use(gathered: Input, held: SecretHash, now: datetime) -> CredentialStatus:
    """This hash accepts what the Secret holds: it is the one that was last issued, and older ones retire."""
    status = without_undelivered(_bound(gathered), held)
    status = with_ends_postponed(status, gathered, now)
    status = with_hashes_retired(status, held, gathered.spec.rotation, now)
    return with_issue_recorded(with_uses(status, gathered.uses), held, gathered.spec.rotation)


def _active(status: CredentialStatus, gathered: Input, reason: Reason, message: str, now: datetime) -> CredentialStatus:
    valid = no_token_before(gathered.tokens_valid_after, now)
    if valid:
        message = f"Its agent gets no token before {rfc3339(valid)} (spec.tokensValidAfter of the Agent)."
        return with_phase(status, gathered, CredentialPhase.PENDING, Reason.TOKENS_NOT_VALID_YET, message, now)
    return with_phase(status, gathered, CredentialPhase.ACTIVE, reason, message, now)


def _delivered(status: CredentialStatus, gathered: Input, now: datetime) -> CredentialStatus:
    """Whether the Secret holds the pair as declared; where it is bound to, which is the earlier name while that is left."""
    name, lately = gathered.delivery.name, _recent_repairs(gathered, now)
    if not gathered.earlier or gathered.earlier.holding is not SecretOwnership.OURS:
        status = replace(status, binding=Binding(name=name))
    if gathered.delivery.intact:
        return with_delivery(status, gathered, Reason.SECRET_DELIVERED, f"Secret {name!r} holds the pair.", now)
    if is_conflict(lately):
        return with_delivery(
            status, gathered, Reason.SECRET_CONTESTED, _contested_message(gathered, next_repair_at(lately)), now
        )
    return status


def _recent_repairs(gathered: Input, now: datetime) -> Reissues:
    """How often the Secret was mended in this window; a new spec begins another."""
    return current_window(None if gathered.spec_is_new else gathered.status.reissues, now)


def _drift_message(gathered: Input, reason: Reason) -> str:
    if reason is Reason.SECRET_MISSING:
        return f"Secret {gathered.delivery.name!r} is missing: a new secret is issued under the same client id."
    return (
        f"Secret {gathered.delivery.name!r} holds a value that is not accepted: a new secret is issued under the same client"
        " id."
    )


def _next_repair_message(until: datetime) -> str:
    return f"It was repaired a moment ago and something undid that, so the next repair is at {rfc3339(until)}."


def _contested_message(gathered: Input, until: datetime) -> str:
    return (
        f"Something else keeps changing Secret {gathered.delivery.name!r}, so the operator leaves it alone until"
        f" {rfc3339(until)}. Its managedFields name who writes it (kubectl get secret --show-managed-fields --output=yaml)."
    )
