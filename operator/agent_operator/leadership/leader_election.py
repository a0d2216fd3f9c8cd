"""One writer: the operator leads while it holds a Lease (`coordination.k8s.io/v1`), and ends when it does not any more.

The holder renews every `RENEW_EVERY` seconds. Whoever wants to lead takes the Lease when it has not changed for its whole
duration, by the follower's own clock, so clocks need not agree. A leader trusts its lease for less time than a follower waits;
a process that was frozen finds on waking that its time is over, and writes nothing more: it exits, and its successor goes on.
"""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from agent_operator.leadership.leases import LEASES, Lease
from agent_operator.leadership.single_operator import SERVICE_ACCOUNT, OtherOperators
from agentidp.domain.resources import ObjectMeta
from agentidp.domain.resources.meta import rfc3339
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Conflict

LEASE_SECONDS = 10
RENEW_EVERY = 2.0
TRUSTED_SECONDS = 7.0
RETRY_EVERY = 1.0
LOOK_EVERY = 30.0
"""How often another release's operator is looked for: one that is older, or is waited for."""

log = structlog.get_logger()


class NotLeading(ApiError):
    """This process may not write now."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "NotLeading", message)


class Leadership:
    """Whether this process may write now."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def trust(self, since: float) -> None:
        """The lease was renewed by a request that was sent at this monotonic time."""
        self._until = since + TRUSTED_SECONDS

    def end(self) -> None:
        """Write nothing more."""
        self._until = float("-inf")

    @property
    def held(self) -> bool:
        """The lease is ours, and nobody can have taken it yet."""
        return time.monotonic() < self._until

    def require(self) -> None:
        """Raises NotLeading where another process may lead."""
        if not self.held:
            raise NotLeading("the lease was lost")


class Election:
    """Wait for the Lease, keep it, and give it back at the end."""

    def __init__(
        self, cluster: KubeClient, namespace: str, name: str, leadership: Leadership, look_every: float = LOOK_EVERY
    ) -> None:
        self._others = OtherOperators(cluster, namespace, name)
        self._look_every = look_every
        self.blocked_by: str | None = None
        """Who leads in another namespace, so that nobody does in this one."""
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._leadership = leadership
        self._identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self._lease = Lease(metadata=ObjectMeta(name=name, namespace=namespace))
        self._unchanged_since = time.monotonic()

    @property
    def leader(self) -> str | None:
        """Who leads, as far as is known."""
        return self._identity if self._leadership.held else self._lease.spec.holder_identity

    @property
    def is_settled(self) -> bool:
        """This process leads, or has seen that another one of its release does."""
        return self.leader is not None and self.blocked_by is None

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work as the leader. Raises NotLeading when the lease is lost."""
        await self._acquire()
        try:
            async with asyncio.TaskGroup() as tasks:
                keeping = [tasks.create_task(one) for one in (self._keep(), self._yield_to_an_older_operator())]
                await work()
                for task in keeping:
                    task.cancel()
        finally:
            await self._release()

    async def _acquire(self) -> None:
        log.info("waiting for the lease", lease=self._name, identity=self._identity)
        while True:
            try:
                if await self._try():
                    log.info("leading", lease=self._name)
                    return
            except ApiError as trouble:
                log.warning("the lease cannot be had yet", why=str(trouble))
            await asyncio.sleep(self._look_every if self.blocked_by else RETRY_EVERY)

    async def _try(self) -> bool:
        current = await self._cluster.find(LEASES, self._namespace, self._name)
        if current and current.metadata.resource_version != self._lease.metadata.resource_version:
            self._lease, self._unchanged_since = current, time.monotonic()
        if current is None:
            self._lease = Lease(metadata=ObjectMeta(name=self._name, namespace=self._namespace))
        elif current.spec.holder_identity and not self._is_abandoned(current):
            return False
        self.blocked_by = await self._others.ahead_of(current)
        if self.blocked_by:
            log.error("this operator does not lead", why=self.blocked_by)
            return False
        try:
            await self._renew()
        except Conflict:
            return False
        return True

    def _is_abandoned(self, lease: Lease) -> bool:
        return time.monotonic() - self._unchanged_since > (lease.spec.lease_duration_seconds or LEASE_SECONDS)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await self._renew_as_holder()
            except NotLeading:
                self._leadership.end()
                raise
            except ApiError as trouble:
                log.warning("the lease was not renewed", why=str(trouble))
            if not self._leadership.held:
                await self._reclaim()

    async def _renew_as_holder(self) -> None:
        """Renew. Whoever else has written the Lease may have changed something else of it. Raises NotLeading, ApiError."""
        try:
            await self._renew()
        except Conflict:
            await self._require_to_hold()
            await self._renew()

    async def _yield_to_an_older_operator(self) -> None:
        """Two that came at once may not have seen each other."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                older = await self._others.ahead_of(self._lease)
            except ApiError as trouble:
                log.warning("could not look for other operators", why=str(trouble))
                continue
            if older:
                self._leadership.end()
                raise NotLeading(older)

    async def _reclaim(self) -> None:
        """The API server was away for long. Go on only if nobody else has led meanwhile, else raise NotLeading."""
        while True:
            try:
                await self._require_to_hold()
                return await self._renew()
            except NotLeading:
                raise
            except ApiError as trouble:
                log.warning("the lease was not renewed", why=str(trouble))
                await asyncio.sleep(RETRY_EVERY)

    async def _require_to_hold(self) -> None:
        """Read the Lease. Raises NotLeading where it names another holder, or is gone."""
        current = await self._cluster.find(LEASES, self._namespace, self._name)
        if current is None or current.spec.holder_identity != self._identity:
            raise NotLeading("another operator has taken the lease")
        self._lease = current

    async def _renew(self) -> None:
        account = {SERVICE_ACCOUNT: await self._others.username()}
        sent, moment = time.monotonic(), rfc3339(datetime.now(UTC), "microseconds")
        spec = self._lease.spec
        ours = spec.holder_identity == self._identity
        renewed = replace(
            spec,
            holder_identity=self._identity,
            lease_duration_seconds=LEASE_SECONDS,
            acquire_time=spec.acquire_time if ours else moment,
            renew_time=moment,
            lease_transitions=spec.lease_transitions + (0 if ours else 1),
        )
        if self._lease.metadata.resource_version:
            await self._patch(msgspec.to_builtins(renewed), {"annotations": account})
        else:
            meta = replace(self._lease.metadata, annotations=account)
            self._lease = await self._cluster.create(LEASES, Lease(metadata=meta, spec=renewed))
        self._leadership.trust(sent)

    async def _patch(self, spec: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Change these fields of the version that was seen last: what others set on the Lease stays. Raises Conflict."""
        meta = self._lease.metadata
        change = {"metadata": {**metadata, "resourceVersion": meta.resource_version}, "spec": spec}
        self._lease = await self._cluster.patch(LEASES, meta.namespace, meta.name, change)

    async def _release(self) -> None:
        """So that a successor need not wait. Harmless when it fails: the lease runs out."""
        led = self._leadership.held
        self._leadership.end()
        if not led:
            return
        try:
            await self._patch({"holderIdentity": None}, {})
        except ApiError as trouble:
            log.info("the lease was not given back", why=str(trouble))
