"""The records of changes that are under way, where only this API writes: PendingChanges in its own namespace.

A change is recorded before anything of it is written, and its record is removed when it is confirmed or rolled back. Whatever
becomes of the process that made it, another one finds the record and rolls the change back. What is written on a credential
counts for nothing here: its tenant writes there, too. See docs/decisions/0032.
"""

import hashlib
from contextlib import suppress

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
    """Of each credential one at a time. Every method raises ApiError."""

    def __init__(self, cluster: KubeClient, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    async def begin(self, spec: PendingChangeSpec) -> PendingChange:
        """Record it. Raises Failure where another change of the credential is under way."""
        meta = ObjectMeta(name=record_name(spec.credential), namespace=self._namespace)
        try:
            return await self._cluster.create(PENDING_CHANGES, PendingChange(metadata=meta, spec=spec))
        except Conflict as other:
            raise unavailable("Another change of this credential is under way. Nothing was done.") from other

    async def all(self) -> list[PendingChange]:
        """Those of all processes."""
        return await list_all(self._cluster, PENDING_CHANGES, PENDING_CHANGES.path(self._namespace))

    async def confirm(self, change: PendingChange) -> None:
        """Nobody may roll it back any more. That its record is gone may be the work of a request that got no answer."""
        try:
            with suppress(NotFound):
                await self._cluster.delete(PENDING_CHANGES, change)
        except Conflict as claimed:
            raise unavailable("The change took too long, and is being rolled back.") from claimed

    async def claim(self, change: PendingChange) -> PendingChange:
        """From now on it cannot be confirmed. Raises NotFound where it has been, Conflict where somebody else claims it."""
        if change.spec.state is PendingState.ROLLING_BACK:
            return change
        meta = change.metadata
        locked = ROLLING_BACK | {"metadata": {"resourceVersion": meta.resource_version}}
        return await self._cluster.patch(PENDING_CHANGES, meta.namespace, meta.name, locked)

    async def settle(self, change: PendingChange) -> None:
        """It is rolled back. A record that somebody else has claimed is theirs to remove."""
        with suppress(NotFound, Conflict):
            await self._cluster.delete(PENDING_CHANGES, change)


def generation(namespace: str, name: str, hashed: str, request_id: str) -> PendingChangeSpec:
    """A new credential of this name."""
    reference = CredentialRef(namespace=namespace, name=name)
    return PendingChangeSpec(credential=reference, operation=Operation.GENERATE, hash=hashed, request_id=request_id)


def rotation(credential: AgentCredential, hashed: str, request_id: str) -> PendingChangeSpec:
    """Another secret for a credential that has a hash."""
    meta = credential.metadata
    return PendingChangeSpec(
        credential=CredentialRef(namespace=meta.namespace, name=meta.name, uid=meta.uid),
        operation=Operation.ROTATE,
        hash=hashed,
        previous=_secret_of(credential),
        request_id=request_id,
    )


def _secret_of(credential: AgentCredential) -> PreviousSecret | None:
    provided = credential.spec.secret_hash
    if provided is None:
        return None
    return PreviousSecret(hash=provided.hash, hint=provided.hint, expires_at=credential.spec.expires_at)


def record_name(credential: CredentialRef) -> str:
    """One for each credential, so that no two of its changes are under way at once. A slash is in no name."""
    return hashlib.sha256(f"{credential.namespace}/{credential.name}".encode()).hexdigest()[:40]
