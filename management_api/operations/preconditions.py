"""What may become of a credential, and how a patch says it. Pure: reads the credential as it is now, and writes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agentidp.domain.lifecycle import asks_for_another
from agentidp.domain.resources import AgentCredential, AgentState, CredentialState, PendingChange
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from management_api.cache.agents import CachedAgent
from management_api.cache.annotations import GENERATED
from management_api.cache.credentials import CHANGED_AT, CachedCredential, Status, registered
from management_api.errors import ApiFailure, agent_not_active, already_revoked, credential_not_found, invalid, unavailable
from management_api.operations.audit_context import written
from management_api.operations.rollback import stands

Patch = dict[str, Any]


def location(credential: CachedCredential) -> tuple[str, str, str, ApiFailure]:
    """Where it is, and what the caller is told if it is not there any more."""
    missing = credential_not_found(credential.credential_id)
    return credential.namespace, credential.name, credential.credential_id, missing


def require_active(agent: CachedAgent) -> None:
    """Only an active agent gets secrets."""
    if agent.spec.state is not AgentState.ACTIVE or agent.client.refusal:
        raise agent_not_active("Only an active agent gets secrets.")


def require_rotatable(current: AgentCredential, expires: datetime | None) -> None:
    """Not revoked, not expired unless it is moved on, and nobody else is at it."""
    seen = registered(current)
    _require_not_revoked(seen)
    if current.spec.secret_hash is None and _is_being_rotated(current, seen):
        raise unavailable("Another change of this credential is under way. Nothing was done.")
    if expires is None and seen.expires and seen.expires <= datetime.now(UTC):
        raise invalid(expiresAt="The credential has expired: say until when it is to be good.")


def require_ours(current: AgentCredential) -> None:
    """A hash that somebody declared is theirs to change: else what they declared would bring the old secret back."""
    if GENERATED not in current.metadata.annotations:
        raise invalid(credentialId="Its hash is declared in its manifest (spec.secretHash): change it there.")


def revoked(now: AgentCredential, annotations: dict[str, str]) -> Patch:
    """Revoke it, unless it is."""
    _require_not_revoked(registered(now))
    return {
        "metadata": {"annotations": annotations},
        "spec": {"state": CredentialState.REVOKED.value},
    }


def rotated(annotations: dict[str, str], expires: datetime | None, **spec: Any) -> Patch:
    """Another secret, by its hash or by asking for one; and another expiry, if one is given."""
    if expires:
        spec["expiresAt"] = written(expires)
    return {"metadata": {"annotations": annotations}, "spec": spec}


def unless_overtaken(before: AgentCredential, now: AgentCredential, patch: Patch) -> Patch:
    """The patch, if nobody has changed the spec since it was judged. Of two rotations at once, one is told to try again.

    Nor has this API written there: whoever has rolled this very change back, because it took too long, has left its time.
    """
    _require_not_revoked(registered(now))
    if (now.metadata.generation, _changed_at(now)) != (before.metadata.generation, _changed_at(before)):
        raise unavailable("Another change of this credential came first. Nothing was done.")
    return patch


def require_standing(now: AgentCredential, change: PendingChange) -> None:
    """Its secret is told only if it is the credential's."""
    _require_not_revoked(registered(now))
    if not stands(change, now):
        raise unavailable("Another change of this credential came in between. This one does not stand.")


def accepts(seen: CachedCredential, made: GeneratedSecret) -> bool:
    """Whether the operator has published the hash of this secret."""
    return seen.is_settled and any((one.hash, one.hint) == (made.hashed, made.hint) for one in seen.hashes)


def is_delivered(seen: CachedCredential, moment: datetime) -> bool:
    """Whether the operator has made a secret since, and put it into its Secret."""
    return seen.is_settled and seen.secret_name is not None and seen.issued is not None and seen.issued >= moment


def next_moment(current: AgentCredential) -> datetime:
    """Now, and in any case later than its last rotation."""
    issued = registered(current).issued
    now = datetime.now(UTC)
    return max(now, issued + timedelta(milliseconds=1)) if issued else now


def _changed_at(credential: AgentCredential) -> str | None:
    return credential.metadata.annotations.get(CHANGED_AT)


def _require_not_revoked(seen: CachedCredential) -> None:
    if seen.status is Status.REVOKED:
        raise already_revoked(seen.credential_id)


def _is_being_rotated(current: AgentCredential, seen: CachedCredential) -> bool:
    asked = current.spec.rotation.requested_at
    if asked is None or asked > datetime.now(UTC):
        return False
    return seen.issued is None or asks_for_another(asked, seen.issued, current.status)
