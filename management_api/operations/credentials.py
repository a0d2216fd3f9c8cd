"""Generate, rotate and revoke: the plaintext is made here, is in the answer, and nowhere else.

A secret counts only when its hash is published, every ready replica of the token service acts by it, and the caller still waits
to be told. Until then the change is pending (see `pending`), and whatever comes in between rolls it back.
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
from management_api.cache.credentials import CachedCredential, registered
from management_api.errors import ApiFailure, credential_not_found, unavailable
from management_api.operations import preconditions as rules
from management_api.operations.audit_context import US, AuditContext, made_here, marks, written
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.pending_changes import PendingChanges, generation, rotation
from management_api.operations.propagation import NotPublished, Propagation
from management_api.operations.propagation_check import NotPropagated
from management_api.operations.rollback import concerns, rolled_back
from management_api.operations.secret_generator import BoundedGenerator

MAX_PREFIX = 240  # leaves room for what makes a credential's name unique
TRY_AGAIN_SECONDS = 5.0

log = structlog.get_logger()


class Gone(Exception):
    """The caller does not wait for the answer any more."""


class Told(NamedTuple):
    """What the caller is told: the credential, and its new secret or where that is delivered."""

    credential: CachedCredential
    secret: str | None = None
    delivered_to: str | None = None

    def __repr__(self) -> str:
        """Never the secret: this is what a traceback would show."""
        return f"Told({self.credential.credential_id})"


class CredentialChanges:
    """All changes of credentials."""

    def __init__(
        self,
        writer: OptimisticWriter[AgentCredential],
        pending: PendingChanges,
        maker: BoundedGenerator,
        effects: Propagation,
        try_again_seconds: float = TRY_AGAIN_SECONDS,
    ) -> None:
        self._writer = writer
        self._pending = pending
        self._maker = maker
        self._effects = effects
        self._try_again_seconds = try_again_seconds
        self._owed: set[asyncio.Task[None]] = set()
        """Changes that could not be taken back yet, though their callers were told that they will be."""

    async def generate(self, agent: CachedAgent, expires: datetime | None, origin: AuditContext) -> Told:
        """A new credential of an active agent. Raises Failure and ApiError."""
        rules.require_active(agent)
        await self._require_replicas()
        made = await self._maker.make(origin.tenant)
        name = _new_name(agent)
        change = await self._pending.begin(generation(agent.namespace, name, made.hashed, origin.request_id))
        created = registered(await self._create(_declared(agent, name, expires, origin, made), change))
        made = made.of(created.credential_id)
        patch = {"spec": {"secretHash": {"hash": made.hashed, "hint": made.hint}}}
        try:
            await self._change(created, lambda _: patch)
            return await self._take_effect(created, made, change, origin)
        except BaseException as why:
            raise await self._withdrawn(change, why, "The new credential is revoked.") from why

    async def rotate(
        self, agent: CachedAgent, credential: CachedCredential, expires: datetime | None, origin: AuditContext
    ) -> Told:
        """Another secret for the same credential; the old one stops working. Raises Failure and ApiError."""
        rules.require_active(agent)
        await self._require_replicas()
        current = await self._read(credential)
        rules.require_rotatable(current, expires)
        if current.spec.secret_hash is None:
            return await self._rotate_delivered(credential, current, expires, origin)
        rules.require_ours(current)
        made = (await self._maker.make(origin.tenant)).of(credential.credential_id)
        change = await self._pending.begin(rotation(current, made.hashed, origin.request_id))
        patch = rules.rotated(origin.annotations(), expires, secretHash={"hash": made.hashed, "hint": made.hint})
        try:
            await self._change(credential, lambda now: rules.unless_overtaken(current, now, patch))
            return await self._take_effect(credential, made, change, origin)
        except BaseException as why:
            raise await self._withdrawn(change, why, "The secret is the one from before.") from why

    async def revoke(self, credential: CachedCredential, origin: AuditContext) -> None:
        """For ever. Raises Failure and ApiError."""
        stored = await self._change(credential, lambda now: rules.revoked(now, origin.annotations()))
        try:
            await self._effects.everywhere(stored)
        except NotPropagated as why:
            raise unavailable(f"The credential is revoked, but not known to be refused everywhere yet: {why}") from why

    async def roll_back(self, change: PendingChange) -> None:
        """Roll back what its maker has abandoned, unless it was confirmed meanwhile. Raises Failure and ApiError.

        Where nothing of it is to be seen, its maker may be about to write: that is refused, for the credential is marked.
        """
        try:
            claimed = await self._pending.claim(change)
        except NotFound:
            return
        mark = {"metadata": {"annotations": marks(US, change.spec.request_id)}}
        await self._roll_back(claimed, otherwise=mark if change.spec.operation is Operation.ROTATE else {})

    async def _require_replicas(self) -> None:
        """Else the old secret would stop working for as long as it takes to find out, for nothing. Raises Failure."""
        try:
            await self._effects.can_be_confirmed()
        except NotPropagated as why:
            raise unavailable(f"{why} Nothing was done.") from why

    async def _rotate_delivered(
        self, credential: CachedCredential, current: AgentCredential, expires: datetime | None, origin: AuditContext
    ) -> Told:
        """By the operator, into the Secret that this API cannot read."""
        moment = rules.next_moment(current)
        patch = rules.rotated(origin.annotations(), expires, rotation={"requestedAt": written(moment)})
        await self._change(credential, lambda now: rules.unless_overtaken(current, now, patch))
        try:
            seen = await self._effects.published(credential.credential_id, lambda seen: rules.is_delivered(seen, moment))
            await self._effects.everywhere(await self._read(credential))
        except (NotPublished, NotPropagated) as why:
            raise unavailable(f"The rotation is recorded, its outcome can be read with GET: {why}") from why
        return Told(seen, delivered_to=seen.secret_name)

    async def _create(self, declared: AgentCredential, change: PendingChange) -> AgentCredential:
        """The credential as it is stored; without an answer that says so, it may be stored or not. Raises ApiError."""
        try:
            return await self._writer.create(declared)
        except ApiError:
            with suppress(ApiError, ApiFailure):
                await self._roll_back(change)
            raise

    async def _take_effect(
        self, credential: CachedCredential, made: GeneratedSecret, change: PendingChange, origin: AuditContext
    ) -> Told:
        """Published, in force everywhere, and somebody is there to be told: then the change is confirmed."""
        await self._effects.published(credential.credential_id, lambda seen: rules.accepts(seen, made))
        await self._effects.everywhere(await self._read(credential))
        if await origin.is_gone():
            raise Gone
        return Told(registered(await self._confirm(credential, change)), made.value)

    async def _confirm(self, credential: CachedCredential, change: PendingChange) -> AgentCredential:
        """The credential after it, once more where no answer tells whether it is confirmed. Raises Failure and ApiError."""
        try:
            return await self._confirm_once(credential, change)
        except ApiError as trouble:
            log.warning("a change may be confirmed or not", request_id=change.spec.request_id, why=str(trouble))
            return await self._confirm_once(credential, change)

    async def _confirm_once(self, credential: CachedCredential, change: PendingChange) -> AgentCredential:
        """Read afterwards: whoever has rolled the change back has done so before they removed its record."""
        await self._pending.confirm(change)
        current = await self._read(credential)
        rules.require_standing(current, change)
        return current

    async def _withdrawn(self, change: PendingChange, why: BaseException, state: str) -> BaseException:
        """Roll it back, also where this request is being cancelled; the error that the caller is told."""
        rolling_back = asyncio.create_task(self._roll_back(change))
        try:
            await asyncio.shield(rolling_back)
            outcome = f"Nothing was done. {state}"
        except (ApiFailure, ApiError) as trouble:
            log.warning("a change could not be rolled back yet", request_id=change.spec.request_id, why=str(trouble))
            self._owe(change)
            outcome = "It is undone as soon as the API server can be reached; the new secret was told nobody."
        if isinstance(why, NotPublished | NotPropagated | ApiError):
            return unavailable(f"{_said(why)} {outcome}")
        return unavailable(f"The caller has gone. {outcome}") if isinstance(why, Gone) else why

    def _owe(self, change: PendingChange) -> None:
        """What is recorded, any process rolls back in the end; whether this still is, nobody can say now."""
        task = asyncio.create_task(self._roll_back_later(change))
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)

    async def _roll_back_later(self, change: PendingChange) -> None:
        while True:
            await asyncio.sleep(self._try_again_seconds)
            with suppress(ApiFailure, ApiError):
                return await self._roll_back(change)

    async def _roll_back(self, change: PendingChange, otherwise: rules.Patch | None = None) -> None:
        """Whatever stands of it, confirmed or not, because nobody was told its secret; `otherwise` where nothing does."""
        reference = change.spec.credential
        found = await self._writer.find(reference.namespace, reference.name)
        if found and concerns(change, found):
            patches: list[rules.Patch] = []

            def patch(now: AgentCredential) -> rules.Patch:
                patches.append(rolled_back(change, now))
                return patches[-1] or otherwise or {}

            gone = credential_not_found(found.metadata.uid)
            await self._writer.change(reference.namespace, reference.name, found.metadata.uid, gone, patch)
            if patches[-1]:
                _tell(change)
        await self._pending.settle(change)

    async def _read(self, credential: CachedCredential) -> AgentCredential:
        return await self._writer.read(*rules.location(credential))

    async def _change(self, credential: CachedCredential, change: Callable[[AgentCredential], rules.Patch]) -> AgentCredential:
        return await self._writer.change(*rules.location(credential), change)


def _new_name(agent: CachedAgent) -> str:
    return f"{agent.name[:MAX_PREFIX].rstrip('.-')}-{secrets.token_hex(5)}"


def _declared(
    agent: CachedAgent, name: str, expires: datetime | None, origin: AuditContext, made: GeneratedSecret
) -> AgentCredential:
    """A new credential, not confirmed yet. Its hint follows: it takes the id that the API server gives."""
    annotations = origin.annotations() | made_here()
    provided = ProvidedHash(hash=made.hashed)
    return AgentCredential(
        metadata=ObjectMeta(name=name, namespace=agent.namespace, annotations=annotations),
        spec=CredentialSpec(agent_ref=AgentRef(name=agent.name), expires_at=expires, secret_hash=provided),
    )


def _tell(change: PendingChange) -> None:
    reference, spec = change.spec.credential, change.spec
    about = {"credential": f"{reference.namespace}/{reference.name}", "change": spec.operation.value}
    log.warning("a change was rolled back, its secret was told nobody", **about, request_id=spec.request_id)


def _said(why: Exception) -> str:
    return "The API server did not answer as it should." if isinstance(why, ApiError) else str(why)
