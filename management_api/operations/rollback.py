"""What rolls a pending change back. Pure: by what the change's record says, and only what still is as the change left it."""

from datetime import datetime, timedelta
from typing import Any

from agentidp.domain.resources import AgentCredential, CredentialState, Operation, PendingChange


def is_abandoned(change: PendingChange, now: datetime, age: timedelta) -> bool:
    """Whether the change is older than any request lives, by the time that the API server gave its record."""
    created = change.metadata.creation_timestamp
    return created is not None and now - created > age


def concerns(change: PendingChange, credential: AgentCredential) -> bool:
    """Whether the credential is the one that is changed: another may have come under its name."""
    return change.spec.credential.uid in {None, credential.metadata.uid}


def stands(change: PendingChange, credential: AgentCredential) -> bool:
    """Whether the credential still has the hash that came by the change, and is not revoked."""
    provided = credential.spec.secret_hash
    is_revoked = credential.spec.state is CredentialState.REVOKED
    return provided is not None and provided.hash == change.spec.hash and not is_revoked


def rolled_back(change: PendingChange, credential: AgentCredential) -> dict[str, Any]:
    """The patch that rolls the change back, because nobody will be told its secret; {} where nothing of it is left."""
    if not stands(change, credential):
        return {}
    previous = change.spec.previous
    if change.spec.operation is Operation.GENERATE or previous is None:
        return {"spec": {"state": CredentialState.REVOKED.value}}
    expiry = previous.expires_at.isoformat() if previous.expires_at else None
    return {"spec": {"secretHash": {"hash": previous.hash, "hint": previous.hint}, "expiresAt": expiry}}
