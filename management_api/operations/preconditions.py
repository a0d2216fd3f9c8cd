"""Preconditions: what may become of a credential, and the patch that does it. Pure: reads the credential, writes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agentidp.domain.lifecycle import asks_for_another
from agentidp.domain.resources import AgentCredential, AgentState, CredentialState, PendingChange
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from management_api.cache.agents import CachedAgent
from management_api.cache.credentials import CachedCredential, Status, cached_credential
from management_api.cache.metadata import CHANGED_AT, GENERATED_BY, micro_time
from management_api.errors import agent_not_active, already_revoked, invalid, unavailable
from management_api.operations.rollback import is_in_effect

Patch = dict[str, Any]
"""A merge patch (RFC 7396); {} changes nothing."""


def require_active(agent: CachedAgent) -> None:
    """Raise ApiFailure unless the agent is active: others get no secrets."""
    if agent.spec.state is not AgentState.ACTIVE or agent.client.refusal:
        raise agent_not_active("Only an active agent gets secrets.")


def require_rotatable(current: AgentCredential, expires: datetime | None) -> None:
    """Raise ApiFailure where the credential is revoked, is being rotated, or has expired and gets no later expiry."""
    credential = cached_credential(current)
    _require_not_revoked(credential)
    if current.spec.secret_hash is None and _is_being_rotated(current, credential):
        raise unavailable("Another change of this credential is under way. Nothing was done.")
    if expires is None and credential.expires and credential.expires <= datetime.now(UTC):
        raise invalid(expiresAt="The credential has expired: name a later expiry.")


def require_generated(current: AgentCredential) -> None:
    """Raise ApiFailure where a manifest declares the hash: applying it again would bring the old secret back."""
    if GENERATED_BY not in current.metadata.annotations:
        raise invalid(credentialId="Its hash is declared in its manifest (spec.secretHash): change it there.")


def revocation_patch(current: AgentCredential, annotations: dict[str, str]) -> Patch:
    """Return the patch that revokes the credential. Raises ApiFailure where it is revoked."""
    _require_not_revoked(cached_credential(current))
    return {"metadata": {"annotations": annotations}, "spec": {"state": CredentialState.REVOKED.value}}


def rotation_patch(annotations: dict[str, str], expires: datetime | None, **spec: Any) -> Patch:
    """Return the patch of a rotation: these fields of the spec, and the expiry if one is given."""
    if expires:
        spec["expiresAt"] = micro_time(expires)
    return {"metadata": {"annotations": annotations}, "spec": spec}


def provided_secret(secret: GeneratedSecret, ends: datetime | None = None) -> dict[str, Any]:
    """Return the fields of the spec that make this the secret in use, and end all overlaps at this time if one is given."""
    fields: dict[str, Any] = {"secretHash": {"hash": secret.hashed, "hint": secret.hint}}
    return fields | {"rotation": {"endOverlapsAt": micro_time(ends)}} if ends else fields


def unless_superseded(before: AgentCredential, current: AgentCredential, patch: Patch) -> Patch:
    """Return the patch if the credential is as it was judged. Raises ApiFailure: of two rotations at once, one fails.

    The annotation counts beside the generation: a process that has rolled this change back, because it took too long, may have
    written nothing else.
    """
    _require_not_revoked(cached_credential(current))
    if (current.metadata.generation, _changed_at(current)) != (before.metadata.generation, _changed_at(before)):
        raise unavailable("Another change of this credential came first. Nothing was done.")
    return patch


def require_in_effect(current: AgentCredential, change: PendingChange) -> None:
    """Raise ApiFailure unless the credential has the hash of the change: only then its secret may be returned."""
    _require_not_revoked(cached_credential(current))
    if not is_in_effect(change, current):
        raise unavailable("Another change of this credential came in between. This one is not in effect.")


def is_published(credential: CachedCredential, secret: GeneratedSecret, *, alone: bool = False) -> bool:
    """Return whether the operator has published the hash of this secret; with `alone`, and no other one."""
    published = [(entry.hash, entry.hint) for entry in credential.hashes]
    return credential.is_settled and (secret.hashed, secret.hint) in published and not (alone and len(published) > 1)


def is_delivered(credential: CachedCredential, requested_at: datetime) -> bool:
    """Return whether the operator has delivered a secret to the Secret since this time."""
    if not credential.is_settled or credential.secret_name is None or credential.issued is None:
        return False
    return credential.issued >= requested_at


def next_rotation_time(current: AgentCredential) -> datetime:
    """Return the present time, or the first millisecond after the last rotation if that is later."""
    issued = cached_credential(current).issued
    now = datetime.now(UTC)
    return max(now, issued + timedelta(milliseconds=1)) if issued else now


def _changed_at(credential: AgentCredential) -> str | None:
    return credential.metadata.annotations.get(CHANGED_AT)


def _require_not_revoked(credential: CachedCredential) -> None:
    if credential.status is Status.REVOKED:
        raise already_revoked(credential.credential_id)


def _is_being_rotated(current: AgentCredential, credential: CachedCredential) -> bool:
    requested_at = current.spec.rotation.requested_at
    if requested_at is None or requested_at > datetime.now(UTC):
        return False
    return credential.issued is None or asks_for_another(requested_at, credential.issued, current.status)
