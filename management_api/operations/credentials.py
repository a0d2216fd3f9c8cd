"""Generate, rotate and revoke credentials. The plaintext of a secret is made here, is in one answer, and nowhere else.

A secret is issued in four steps: record the pending change (`pending_changes`), write the hash, wait until the operator has
published it and every replica of the token service has applied it (`propagation`), confirm the change. If a step fails, or the
caller has gone, the change is rolled back (`rollback`): no secret works that nobody has. Decision 13 says why.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import structlog

from agentidp.domain.resources import (
    AgentCredential,
    AgentRef,
    CredentialSpec,
    ObjectMeta,
    Operation,
    PendingChange,
    ProvidedHash,
)
from agentidp.kube.errors import ApiError, NotFound
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from management_api.cache.agents import CachedAgent
from management_api.cache.credentials import CachedCredential, cached_credential
from management_api.cache.metadata import THIS_API, audit_annotations, creation_annotation, micro_time
from management_api.errors import ApiFailure, credential_not_found, unavailable
from management_api.limits import Limits
from management_api.operations import preconditions
from management_api.operations.optimistic_writer import OptimisticWriter, Target, credential_target
from management_api.operations.pending_changes import PendingChanges, generation, rotation
from management_api.operations.preconditions import Patch
from management_api.operations.propagation import PropagationFailure, Publication, PublicationTimeout, Replicas
from management_api.operations.rollback import concerns, rollback_patch
from management_api.operations.secret_generator import BoundedGenerator
from management_api.request_context import RequestContext

MAX_PREFIX = 240  # leaves room for what makes a credential's name unique

log = structlog.get_logger()


class ClientDisconnect(Exception):
    """The caller does not wait for the answer any more."""


class CredentialResult(NamedTuple):
    """A credential, and its new secret or the name of the Secret that has it."""

    credential: CachedCredential
    secret: str | None = None
    secret_name: str | None = None

    def __repr__(self) -> str:
        """Return no secret: a traceback would show it."""
        return f"CredentialResult({self.credential.credential_id})"


class CredentialOperations:
    """Changes of credentials, each with its audit annotations."""

    def __init__(
        self,
        writer: OptimisticWriter[AgentCredential],
        pending: PendingChanges,
        generator: BoundedGenerator,
        publication: Publication,
        replicas: Replicas,
        limits: Limits,
    ) -> None:
        self._writer = writer
        self._pending = pending
        self._generator = generator
        self._publication = publication
        self._replicas = replicas
        self._retry_seconds = limits.rollback_retry_seconds
        self._rollbacks: set[asyncio.Task[None]] = set()
        """Rollbacks that failed, and are tried again: the answers to their callers say so."""

    async def generate(self, agent: CachedAgent, expires: datetime | None, context: RequestContext) -> CredentialResult:
        """Create a credential of an active agent. Raises ApiFailure and ApiError."""
        preconditions.require_active(agent)
        await self._require_replicas()
        secret = await self._generator.make(context.caller.tenant)
        name = _new_name(agent)
        change = await self._pending.begin(generation(agent.namespace, name, secret.hashed, context.request_id))
        manifest = _manifest(agent, name, expires, context, secret)
        credential = cached_credential(await self._create(manifest, change))
        secret = secret.of(credential.credential_id)
        patch = {"spec": preconditions.provided_secret(secret)}
        try:
            await self._change(credential, lambda _: patch)
            return await self._take_effect(credential, secret, change, context)
        except BaseException as error:
            raise await self._withdraw(change, error, "The new credential is revoked.") from error

    async def rotate(
        self,
        agent: CachedAgent,
        credential: CachedCredential,
        expires: datetime | None,
        context: RequestContext,
        *,
        end_overlaps: bool = False,
    ) -> CredentialResult:
        """Give the credential another secret. Raises ApiFailure and ApiError.

        The old one stops working: at once, or after the overlap that the credential declares, unless `end_overlaps`.
        """
        preconditions.require_active(agent)
        await self._require_replicas()
        current = await self._read(credential)
        preconditions.require_rotatable(current, expires)
        if current.spec.secret_hash is None:
            return await self._rotate_delivered(credential, current, expires, context, end_overlaps)
        preconditions.require_generated(current)
        secret = (await self._generator.make(context.caller.tenant)).of(credential.credential_id)
        ends = preconditions.next_rotation_time(current) if end_overlaps else None
        change = await self._pending.begin(rotation(current, secret.hashed, context.request_id, ends))
        spec = preconditions.provided_secret(secret, ends)
        patch = preconditions.rotation_patch(context.annotations(), expires, **spec)
        try:
            await self._change(credential, lambda latest: preconditions.unless_superseded(current, latest, patch))
            return await self._take_effect(credential, secret, change, context)
        except BaseException as error:
            raise await self._withdraw(change, error, "The secret is the one from before.") from error

    async def revoke(self, credential: CachedCredential, context: RequestContext) -> None:
        """Revoke the credential for good. Raises ApiFailure and ApiError."""
        annotations = context.annotations()
        stored = await self._change(credential, lambda current: preconditions.revocation_patch(current, annotations))
        try:
            await self._replicas.wait(stored)
        except PropagationFailure as error:
            message = f"The credential is revoked, but perhaps not refused everywhere yet: {error}"
            raise unavailable(message) from error

    async def roll_back(self, change: PendingChange) -> None:
        """Roll back an abandoned change, unless it was confirmed meanwhile. Raises ApiFailure and ApiError.

        If nothing of a rotation is written yet, its process may be about to write: an annotation makes that write a conflict.
        """
        try:
            claimed = await self._pending.claim(change)
        except NotFound:
            return
        annotations = {"metadata": {"annotations": audit_annotations(THIS_API, change.spec.request_id)}}
        await self._roll_back(claimed, otherwise=annotations if change.spec.operation is Operation.ROTATE else {})

    async def _require_replicas(self) -> None:
        """Refuse a change that could not be confirmed, before it takes the old secret out of force. Raises ApiFailure."""
        try:
            await self._replicas.require_ready()
        except PropagationFailure as error:
            raise unavailable(f"{error} Nothing was done.") from error

    async def _rotate_delivered(
        self,
        credential: CachedCredential,
        current: AgentCredential,
        expires: datetime | None,
        context: RequestContext,
        end_overlaps: bool,
    ) -> CredentialResult:
        """Let the operator rotate a secret that it delivers to a Secret, which this API cannot read."""
        requested_at = preconditions.next_rotation_time(current)
        request = {"requestedAt": micro_time(requested_at)}
        if end_overlaps:
            request["endOverlapsAt"] = request["requestedAt"]
        patch = preconditions.rotation_patch(context.annotations(), expires, rotation=request)
        await self._change(credential, lambda latest: preconditions.unless_superseded(current, latest, patch))
        try:
            rotated = await self._publication.wait(
                credential.credential_id, lambda cached: preconditions.is_delivered(cached, requested_at)
            )
            await self._replicas.wait(await self._read(credential))
        except (PublicationTimeout, PropagationFailure) as error:
            raise unavailable(f"The rotation is recorded; read its outcome with GET: {error}") from error
        return CredentialResult(rotated, secret_name=rotated.secret_name)

    async def _create(self, manifest: AgentCredential, change: PendingChange) -> AgentCredential:
        """Create the credential. Without an answer it may exist or not, so it is rolled back. Raises ApiError."""
        try:
            return await self._writer.create(manifest)
        except ApiError:
            with suppress(ApiError, ApiFailure):
                await self._roll_back(change)
            raise

    async def _take_effect(
        self, credential: CachedCredential, secret: GeneratedSecret, change: PendingChange, context: RequestContext
    ) -> CredentialResult:
        """Wait until the secret is published and propagated, then confirm the change if the client still waits."""
        ends_overlaps = change.spec.end_overlaps_at is not None
        await self._publication.wait(
            credential.credential_id, lambda cached: preconditions.is_published(cached, secret, alone=ends_overlaps)
        )
        await self._replicas.wait(await self._read(credential))
        if await context.is_disconnected():
            raise ClientDisconnect
        return CredentialResult(cached_credential(await self._confirm(credential, change)), secret.value)

    async def _confirm(self, credential: CachedCredential, change: PendingChange) -> AgentCredential:
        """Confirm the change, and once more where the API server's answer is lost. Raises ApiFailure and ApiError."""
        try:
            return await self._confirm_once(credential, change)
        except ApiError as error:
            log.warning("a change may be confirmed or not", request_id=change.spec.request_id, why=str(error))
            return await self._confirm_once(credential, change)

    async def _confirm_once(self, credential: CachedCredential, change: PendingChange) -> AgentCredential:
        """Delete the record, then read: a process that has rolled the change back did so before it deleted the record."""
        await self._pending.confirm(change)
        current = await self._read(credential)
        preconditions.require_in_effect(current, change)
        return current

    async def _withdraw(self, change: PendingChange, error: BaseException, state: str) -> BaseException:
        """Roll the change back, even where the task is being cancelled. Returns the error for the caller."""
        rollback = asyncio.create_task(self._roll_back(change))
        try:
            await asyncio.shield(rollback)
            outcome = f"Nothing was done. {state}"
        except (ApiFailure, ApiError) as failure:
            log.warning("a change could not be rolled back yet", request_id=change.spec.request_id, why=str(failure))
            self._retry_rollback(change)
            outcome = "It is rolled back as soon as the API server can be reached; nobody has the new secret."
        match error:
            case ApiError():
                return unavailable(f"The API server did not answer as it should. {outcome}")
            case PublicationTimeout() | PropagationFailure():
                return unavailable(f"{error} {outcome}")
            case ClientDisconnect():
                return unavailable(f"The client has disconnected. {outcome}")
            case _:
                return error

    def _retry_rollback(self, change: PendingChange) -> None:
        """Roll back later. The sweep does not suffice: the record may be deleted, by a confirmation whose answer was lost."""
        task = asyncio.create_task(self._roll_back_until_done(change))
        self._rollbacks.add(task)
        task.add_done_callback(self._rollbacks.discard)

    async def _roll_back_until_done(self, change: PendingChange) -> None:
        while True:
            await asyncio.sleep(self._retry_seconds)
            with suppress(ApiFailure, ApiError):
                return await self._roll_back(change)

    async def _roll_back(self, change: PendingChange, otherwise: Patch | None = None) -> None:
        """Undo what the change has written, confirmed or not: nobody has its secret. Else write `otherwise`."""
        reference = change.spec.credential
        stored = await self._writer.find(reference.namespace, reference.name)
        if stored and concerns(change, stored):
            patch: Patch = {}

            def patch_for(current: AgentCredential) -> Patch:
                nonlocal patch
                patch = rollback_patch(change, current)
                return patch or otherwise or {}

            uid = stored.metadata.uid
            await self._writer.change(Target(reference.namespace, reference.name, uid, credential_not_found(uid)), patch_for)
            if patch:
                _log_rollback(change)
        await self._pending.settle(change)

    async def _read(self, credential: CachedCredential) -> AgentCredential:
        return await self._writer.read(credential_target(credential))

    async def _change(self, credential: CachedCredential, patch_for: Callable[[AgentCredential], Patch]) -> AgentCredential:
        return await self._writer.change(credential_target(credential), patch_for)


def _new_name(agent: CachedAgent) -> str:
    return f"{agent.name[:MAX_PREFIX].rstrip('.-')}-{secrets.token_hex(5)}"


def _manifest(
    agent: CachedAgent, name: str, expires: datetime | None, context: RequestContext, secret: GeneratedSecret
) -> AgentCredential:
    """Return a new credential. The hash has no hint yet: that takes the id, which the API server gives."""
    annotations = context.annotations() | creation_annotation()
    provided = ProvidedHash(hash=secret.hashed)
    return AgentCredential(
        metadata=ObjectMeta(name=name, namespace=agent.namespace, annotations=annotations),
        spec=CredentialSpec(agent_ref=AgentRef(name=agent.name), expires_at=expires, secret_hash=provided),
    )


def _log_rollback(change: PendingChange) -> None:
    reference, spec = change.spec.credential, change.spec
    log.warning(
        "a change was rolled back, nobody has its secret",
        credential=f"{reference.namespace}/{reference.name}",
        change=spec.operation.value,
        request_id=spec.request_id,
    )
