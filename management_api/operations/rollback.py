"""Rollback: undoes a pending change that nobody confirms any more, because its process died or its caller has gone.

Flows in: the records of pending changes (`pending_changes`). The functions that decide are pure: they read the record and the
credential as it is now, and roll back only what the change itself has written. `run_sweep` lists the records of all processes
and hands each abandoned one to `CredentialOperations.roll_back`. Work is bounded by the records: each credential has one at
most. Decision 13 says why.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from agentidp.domain.resources import AgentCredential, CredentialState, Operation, PendingChange
from agentidp.kube.errors import ApiError
from agentidp.runtime.logs import REPORT, place_of
from management_api.errors import ApiFailure
from management_api.operations.pending_changes import PendingChanges

RollBack = Callable[[PendingChange], Awaitable[None]]
"""Rolls one change back if it is still in effect. Raises ApiFailure and ApiError."""

log = structlog.get_logger()


def is_abandoned(change: PendingChange, now: datetime, min_age: timedelta) -> bool:
    """Return whether the record is older than any request lives. Its age is the API server's, not its writer's."""
    created = change.metadata.creation_timestamp
    return created is not None and now - created > min_age


def concerns(change: PendingChange, credential: AgentCredential) -> bool:
    """Return whether this credential is the one that the change is about, and not another one of the same name."""
    return change.spec.credential.uid in {None, credential.metadata.uid}


def is_in_effect(change: PendingChange, credential: AgentCredential) -> bool:
    """Return whether the credential has the hash that the change gave it, and is not revoked."""
    provided = credential.spec.secret_hash
    is_revoked = credential.spec.state is CredentialState.REVOKED
    return provided is not None and provided.hash == change.spec.hash and not is_revoked


def rollback_patch(change: PendingChange, credential: AgentCredential) -> dict[str, Any]:
    """Return the patch that undoes the change: revoke a new credential, or restore the previous hash. {} if not in effect."""
    if not is_in_effect(change, credential):
        return {}
    previous = change.spec.previous
    if change.spec.operation is Operation.GENERATE or previous is None:
        return {"spec": {"state": CredentialState.REVOKED.value}}
    restored: dict[str, Any] = {
        "secretHash": {"hash": previous.hash, "hint": previous.hint},
        "expiresAt": _text_of(previous.expires_at),
    }
    if _has_ended_overlaps(change, credential):
        restored["rotation"] = {"endOverlapsAt": _text_of(previous.end_overlaps_at)}
    return {"spec": restored}


def _has_ended_overlaps(change: PendingChange, credential: AgentCredential) -> bool:
    """Return whether `endOverlapsAt` is the change's own: left there, it would end the overlap of the restored secret.

    Another value is somebody else's, who has ended overlaps meanwhile: those stay ended.
    """
    ends = change.spec.end_overlaps_at
    return ends is not None and credential.spec.rotation.end_overlaps_at == ends


def _text_of(timestamp: datetime | None) -> str | None:
    return timestamp.isoformat() if timestamp else None


async def run_sweep(pending: PendingChanges, roll_back: RollBack, min_age: timedelta, interval: float) -> None:
    """Roll back abandoned changes every `interval` seconds until cancelled."""
    while True:
        await asyncio.sleep(interval)
        try:
            changes = await pending.all()
        except ApiError as error:
            log.warning("pending changes could not be listed", why=str(error))
            continue
        await sweep(changes, roll_back, datetime.now(UTC), min_age)


async def sweep(changes: list[PendingChange], roll_back: RollBack, now: datetime, min_age: timedelta) -> None:
    """Roll back those of the changes that are abandoned. A failure of one does not stop the others."""
    for change in (change for change in changes if is_abandoned(change, now, min_age)):
        credential = {"credential": f"{change.spec.credential.namespace}/{change.spec.credential.name}"}
        try:
            await roll_back(change)
        except (ApiError, ApiFailure) as error:
            log.warning("a change could not be rolled back yet", **credential, why=str(error))
        except Exception as error:  # noqa: BLE001 a tenant's content must neither end the process nor get into the log
            log.error("a change cannot be rolled back", **credential, advice=REPORT, place=place_of(error))  # noqa: TRY400
