"""Generate, rotate and revoke: the plaintext is made here, is in the answer, and nowhere else.

A secret counts only when its hash is published, every ready replica of the token service acts by it, and the caller still waits
to be told. Until then the change is marked (see `unconfirmed`), and whatever comes in between undoes it.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from agentidp.domain.resources import AgentCredential, AgentRef, CredentialSpec, ObjectMeta, ProvidedHash
from agentidp.kube.errors import ApiError
from agentidp.runtime.secret_maker import MadeSecret
from management_api.changes import rules
from management_api.changes.barrier import Unconfirmed
from management_api.changes.effects import Effects, NotPublished
from management_api.changes.making import BoundedMaker
from management_api.changes.origin import Origin, made_here, written
from management_api.changes.unconfirmed import UnconfirmedChange, What, taken_back, undone
from management_api.changes.writer import Writer
from management_api.failures import Code, Failure, unavailable
from management_api.registry.agents import RegisteredAgent
from management_api.registry.credentials import RegisteredCredential, registered

MAX_PREFIX = 240  # leaves room for what makes a credential's name unique
TRY_AGAIN_SECONDS = 5.0

Undoing = Callable[[AgentCredential, UnconfirmedChange], rules.Patch]

log = structlog.get_logger()


class Gone(Exception):
    """The caller does not wait for the answer any more."""


class Told(NamedTuple):
    """What the caller is told: the credential, and its new secret or where that is delivered."""

    credential: RegisteredCredential
    secret: str | None = None
    delivered_to: str | None = None

    def __repr__(self) -> str:
        """Never the secret: this is what a traceback would show."""
        return f"Told({self.credential.credential_id})"


class CredentialChanges:
    """All changes of credentials."""

    def __init__(self, writer: Writer[AgentCredential], maker: BoundedMaker, effects: Effects) -> None:
        self._writer = writer
        self._maker = maker
        self._effects = effects
        self._owed: set[asyncio.Task[None]] = set()
        """Changes that could not be taken back yet, though their callers were told that they will be."""

    async def generate(self, agent: RegisteredAgent, expires: datetime | None, origin: Origin) -> Told:
        """A new credential of an active agent. Raises Failure and ApiError."""
        rules.require_active(agent)
        await self._require_replicas()
        made = await self._maker.make(origin.tenant)
        change = UnconfirmedChange(what=What.GENERATE, request_id=origin.request_id, since=datetime.now(UTC), hash=made.hashed)
        created = registered(await self._writer.create(_declared(agent, expires, origin, change)))
        made = made.of(created.credential_id)
        patch = {"spec": {"secretHash": {"hash": made.hashed, "hint": made.hint}}}
        try:
            await self._change(created, lambda _: patch)
            return await self._take_effect(created, made, change, origin)
        except BaseException as why:
            raise await self._withdrawn(created, change, why, "The new credential is revoked.") from why

    async def rotate(
        self, agent: RegisteredAgent, credential: RegisteredCredential, expires: datetime | None, origin: Origin
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
        change = UnconfirmedChange(
            what=What.ROTATE,
            request_id=origin.request_id,
            since=datetime.now(UTC),
            hash=made.hashed,
            previous=current.spec.secret_hash,
            previous_expiry=current.spec.expires_at,
        )
        annotations = origin.annotations() | change.annotation()
        patch = rules.rotated(annotations, expires, secretHash={"hash": made.hashed, "hint": made.hint})
        try:
            await self._change(credential, lambda now: rules.unless_overtaken(current, now, patch))
            return await self._take_effect(credential, made, change, origin)
        except BaseException as why:
            raise await self._withdrawn(credential, change, why, "The secret is the one from before.") from why

    async def revoke(self, credential: RegisteredCredential, origin: Origin) -> None:
        """For ever. Raises Failure and ApiError."""
        stored = await self._change(credential, lambda now: rules.revoked(now, origin.annotations()))
        try:
            await self._effects.everywhere(stored)
        except Unconfirmed as why:
            raise unavailable(f"The credential is revoked, but not known to be refused everywhere yet: {why}") from why

    async def undo(self, credential: RegisteredCredential, change: UnconfirmedChange) -> None:
        """Undo a change that was not confirmed, if it still stands. Raises Failure and ApiError."""
        await self._undo(credential, change, undone)

    async def _require_replicas(self) -> None:
        """Else the old secret would stop working for as long as it takes to find out, for nothing. Raises Failure."""
        try:
            await self._effects.can_be_confirmed()
        except Unconfirmed as why:
            raise unavailable(f"{why} Nothing was done.") from why

    async def _rotate_delivered(
        self, credential: RegisteredCredential, current: AgentCredential, expires: datetime | None, origin: Origin
    ) -> Told:
        """By the operator, into the Secret that this API cannot read."""
        moment = rules.next_moment(current)
        patch = rules.rotated(origin.annotations(), expires, rotation={"requestedAt": written(moment)})
        await self._change(credential, lambda now: rules.unless_overtaken(current, now, patch))
        try:
            seen = await self._effects.published(credential.credential_id, lambda seen: rules.is_delivered(seen, moment))
            await self._effects.everywhere(await self._read(credential))
        except (NotPublished, Unconfirmed) as why:
            raise unavailable(f"The rotation is recorded, its outcome can be read with GET: {why}") from why
        return Told(seen, delivered_to=seen.secret_name)

    async def _take_effect(
        self, credential: RegisteredCredential, made: MadeSecret, change: UnconfirmedChange, origin: Origin
    ) -> Told:
        """Published, in force everywhere, and somebody is there to be told: then the mark goes."""
        await self._effects.published(credential.credential_id, lambda seen: rules.accepts(seen, made))
        await self._effects.everywhere(await self._read(credential))
        if await origin.is_gone():
            raise Gone
        return Told(registered(await self._confirm(credential, change)), made.value)

    async def _confirm(self, credential: RegisteredCredential, change: UnconfirmedChange) -> AgentCredential:
        """Take the mark away. Where no answer tells whether it is, the credential does. Raises Failure and ApiError."""
        try:
            return await self._change(credential, lambda now: rules.confirmed(now, change))
        except ApiError as trouble:
            log.warning("a change may be confirmed or not", request_id=change.request_id, why=str(trouble))
            return await self._change(credential, lambda now: rules.confirmed(now, change))

    async def _withdrawn(
        self, credential: RegisteredCredential, change: UnconfirmedChange, why: BaseException, state: str
    ) -> BaseException:
        """Undo it, also where this request is being cancelled; the error that the caller is told."""
        undoing = asyncio.create_task(self._undo(credential, change, taken_back))
        try:
            await asyncio.shield(undoing)
            outcome = f"Nothing was done. {state}"
        except (Failure, ApiError) as trouble:
            log.warning("a change could not be undone yet", request_id=change.request_id, why=str(trouble))
            self._owe(credential, change)
            outcome = "It is undone as soon as the API server can be reached; the new secret was told nobody."
        if isinstance(why, NotPublished | Unconfirmed | ApiError):
            return unavailable(f"{_said(why)} {outcome}")
        return unavailable(f"The caller has gone. {outcome}") if isinstance(why, Gone) else why

    def _owe(self, credential: RegisteredCredential, change: UnconfirmedChange) -> None:
        """What is marked, any process undoes in the end; whether this is, nobody can say now."""
        task = asyncio.create_task(self._take_back_later(credential, change))
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)

    async def _take_back_later(self, credential: RegisteredCredential, change: UnconfirmedChange) -> None:
        while True:
            await asyncio.sleep(TRY_AGAIN_SECONDS)
            try:
                return await self._undo(credential, change, taken_back)
            except (Failure, ApiError) as trouble:
                if isinstance(trouble, Failure) and trouble.code is Code.CREDENTIAL_NOT_FOUND:
                    return None

    async def _undo(self, credential: RegisteredCredential, change: UnconfirmedChange, how: Undoing) -> None:
        patches: list[rules.Patch] = []

        def patch(now: AgentCredential) -> rules.Patch:
            patches.append(how(now, change))
            return patches[-1]

        await self._change(credential, patch)
        if patches[-1]:
            where = f"{credential.namespace}/{credential.name}"
            what, request_id = change.what.value, change.request_id
            log.warning("a change was undone, its secret was told nobody", credential=where, change=what, request_id=request_id)

    async def _read(self, credential: RegisteredCredential) -> AgentCredential:
        return await self._writer.read(*rules.location(credential))

    async def _change(
        self, credential: RegisteredCredential, change: Callable[[AgentCredential], rules.Patch]
    ) -> AgentCredential:
        return await self._writer.change(*rules.location(credential), change)


def _declared(agent: RegisteredAgent, expires: datetime | None, origin: Origin, change: UnconfirmedChange) -> AgentCredential:
    """A new credential, not confirmed yet. Its hint follows: it takes the id that the API server gives."""
    name = f"{agent.name[:MAX_PREFIX].rstrip('.-')}-{secrets.token_hex(5)}"
    annotations = origin.annotations() | change.annotation() | made_here()
    provided = ProvidedHash(hash=change.hash)
    return AgentCredential(
        metadata=ObjectMeta(name=name, namespace=agent.namespace, annotations=annotations),
        spec=CredentialSpec(agent_ref=AgentRef(name=agent.name), expires_at=expires, secret_hash=provided),
    )


def _said(why: Exception) -> str:
    return "The API server did not answer as it should." if isinstance(why, ApiError) else str(why)
