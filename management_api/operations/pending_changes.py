"""Pending changes: the record of each change that is under way, as a PendingChange in the namespace of this API.

A change is recorded before its first write, and the record is deleted when the change is confirmed or rolled back. So a process
that dies leaves a record, and another process rolls the change back (`rollback`). The record's name is derived from the
credential, so that the API server admits one change of a credential at a time. Only this API may write in its namespace:
annotations of a credential decide nothing here, since its tenant writes them, too. Decisions 13 and 32 say why.
"""

import hashlib
from contextlib import suppress
from datetime import datetime

from agentidp.domain.resources import (
    AgentCredential,
    CredentialRef,
    ObjectMeta,
    Operation,
    PendingChange,
    PendingChangeSpec,
    PendingState,
    PreviousSecret,
)
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import PENDING_CHANGES
from agentidp.kube.pager import list_all
from management_api.errors import unavailable

ROLLING_BACK = {"spec": {"state": PendingState.ROLLING_BACK.value}}


class PendingChanges:
    """The records of all processes, one for each credential. Every method raises ApiError."""

    def __init__(self, cluster: KubeClient, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    async def begin(self, spec: PendingChangeSpec) -> PendingChange:
        """Record a change. Raises ApiFailure where another change of the credential is under way."""
        meta = ObjectMeta(name=record_name(spec.credential), namespace=self._namespace)
        try:
            return await self._cluster.create(PENDING_CHANGES, PendingChange(metadata=meta, spec=spec))
        except Conflict as error:
            raise unavailable("Another change of this credential is under way. Nothing was done.") from error

    async def all(self) -> list[PendingChange]:
        """Return the records of all processes."""
        return await list_all(self._cluster, PENDING_CHANGES, PENDING_CHANGES.path(self._namespace))

    async def confirm(self, change: PendingChange) -> None:
        """Delete the record, so that nobody rolls the change back. Raises ApiFailure where somebody has claimed it.

        A missing record does not raise: an earlier request of ours may have deleted it and lost its answer.
        """
        try:
            with suppress(NotFound):
                await self._cluster.delete(PENDING_CHANGES, change)
        except Conflict as error:
            raise unavailable("The change took too long, and is being rolled back.") from error

    async def claim(self, change: PendingChange) -> PendingChange:
        """Claim the change for rollback: it cannot be confirmed any more.

        Raises NotFound where it has been confirmed, Conflict where somebody else claims it.
        """
        if change.spec.state is PendingState.ROLLING_BACK:
            return change
        meta = change.metadata
        locked = ROLLING_BACK | {"metadata": {"resourceVersion": meta.resource_version}}
        return await self._cluster.patch(PENDING_CHANGES, meta.namespace, meta.name, locked)

    async def settle(self, change: PendingChange) -> None:
        """Delete the record of a change that is rolled back; a record that somebody else has claimed stays."""
        with suppress(NotFound, Conflict):
            await self._cluster.delete(PENDING_CHANGES, change)


def generation(namespace: str, name: str, hashed: str, request_id: str) -> PendingChangeSpec:
    """Return the record's spec for a new credential of this name."""
    reference = CredentialRef(namespace=namespace, name=name)
    return PendingChangeSpec(credential=reference, operation=Operation.GENERATE, hash=hashed, request_id=request_id)


def rotation(
    credential: AgentCredential, hashed: str, request_id: str, end_overlaps_at: datetime | None = None
) -> PendingChangeSpec:
    """Return the record's spec for another hash of a credential, with the hash that it has now."""
    meta = credential.metadata
    return PendingChangeSpec(
        credential=CredentialRef(namespace=meta.namespace, name=meta.name, uid=meta.uid),
        operation=Operation.ROTATE,
        hash=hashed,
        end_overlaps_at=end_overlaps_at,
        previous=_previous_secret(credential),
        request_id=request_id,
    )


def record_name(credential: CredentialRef) -> str:
    """Return the record's name, one for each credential. No name has a slash, so no two credentials share one."""
    return hashlib.sha256(f"{credential.namespace}/{credential.name}".encode()).hexdigest()[:40]


def _previous_secret(credential: AgentCredential) -> PreviousSecret | None:
    provided = credential.spec.secret_hash
    if provided is None:
        return None
    return PreviousSecret(
        hash=provided.hash,
        hint=provided.hint,
        expires_at=credential.spec.expires_at,
        end_overlaps_at=credential.spec.rotation.end_overlaps_at,
    )
