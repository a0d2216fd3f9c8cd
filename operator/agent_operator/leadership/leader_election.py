"""Leader election: the operator leads while it holds a Lease (`coordination.k8s.io/v1`), and exits when it loses it.

Flows in: the versions of the Lease. Flows out: `Leadership`, which every fenced write requires. The holder renews every
`RENEW_EVERY` seconds. A follower measures by its own monotonic clock how long the Lease has not changed, and takes it after the
whole duration; so clocks need not agree. A leader trusts its Lease for less time than a follower waits, so a process that was
frozen writes nothing when it wakes: it leads on if nobody took the Lease, and exits otherwise (decision 7). The Lease is
patched: a conflict means that somebody else wrote the Lease, and the holder leads on while the Lease names the holder (decision
43).
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

from agent_operator.leadership.single_operator import LEASES, SERVICE_ACCOUNT, Lease, OtherOperators
from agent_operator.limits import LIMITS
from agentidp.domain.resources import ObjectMeta
from agentidp.domain.resources.meta import rfc3339
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Conflict

LEASE_SECONDS = 10
RENEW_EVERY = 2.0
TRUSTED_SECONDS = 7.0
RETRY_EVERY = 1.0

log = structlog.get_logger()


class NotLeading(ApiError):
    """This process does not hold the Lease, so it may not write."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "NotLeading", message)


class Leadership:
    """Whether this process holds the Lease, and so may write."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def trust(self, since: float) -> None:
        """Record a renewal whose request was sent at this monotonic time."""
        self._until = since + TRUSTED_SECONDS

    def end(self) -> None:
        """End the leadership: no further write is admitted."""
        self._until = float("-inf")

    @property
    def held(self) -> bool:
        """Whether this process holds the Lease and no other can have taken it."""
        return time.monotonic() < self._until

    def require(self) -> None:
        """Raise NotLeading where another process may lead."""
        if not self.held:
            raise NotLeading("the lease was lost")


class Election:
    """Acquires the Lease, renews it, and releases it at the end."""

    def __init__(
        self,
        cluster: KubeClient,
        namespace: str,
        name: str,
        leadership: Leadership,
        check_every: float = LIMITS.other_operators_seconds,
    ) -> None:
        self._others = OtherOperators(cluster, namespace, name)
        self._check_every = check_every
        self.blocked_by: str | None = None
        """A sentence about the operator of another release that leads, which keeps this one from leading."""
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._leadership = leadership
        self._identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self._lease = Lease(metadata=ObjectMeta(name=name, namespace=namespace))
        self._unchanged_since = time.monotonic()

    @property
    def leader(self) -> str | None:
        """The holder of the Lease, as of the last read."""
        return self._identity if self._leadership.held else self._lease.spec.holder_identity

    @property
    def is_settled(self) -> bool:
        """Whether this process leads, or another process of its release."""
        return self.leader is not None and self.blocked_by is None

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` as the leader. Raises NotLeading when the Lease is lost."""
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
            except ApiError as error:
                log.warning("the lease cannot be had yet", why=str(error))
            await asyncio.sleep(self._check_every if self.blocked_by else RETRY_EVERY)

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
            except ApiError as error:
                log.warning("the lease was not renewed", why=str(error))
            if not self._leadership.held:
                await self._reclaim()

    async def _renew_as_holder(self) -> None:
        """Renew; after a conflict, renew again if the Lease still names this process. Raises NotLeading, ApiError."""
        try:
            await self._renew()
        except Conflict:
            await self._require_to_hold()
            await self._renew()

    async def _yield_to_an_older_operator(self) -> None:
        """Stop leading where an older operator of another release appears: both may have started at the same time."""
        while True:
            await asyncio.sleep(self._check_every)
            try:
                older = await self._others.ahead_of(self._lease)
            except ApiError as error:
                log.warning("could not look for other operators", why=str(error))
                continue
            if older:
                self._leadership.end()
                raise NotLeading(older)

    async def _reclaim(self) -> None:
        """Renew after an outage of the API server, if no other process has led meanwhile. Raises NotLeading."""
        while True:
            try:
                await self._require_to_hold()
                return await self._renew()
            except NotLeading:
                raise
            except ApiError as error:
                log.warning("the lease was not renewed", why=str(error))
                await asyncio.sleep(RETRY_EVERY)

    async def _require_to_hold(self) -> None:
        """Read the Lease. Raises NotLeading where it names another holder, or is gone."""
        current = await self._cluster.find(LEASES, self._namespace, self._name)
        if current is None or current.spec.holder_identity != self._identity:
            raise NotLeading("another operator has taken the lease")
        self._lease = current

    async def _renew(self) -> None:
        account = {SERVICE_ACCOUNT: await self._others.username()}
        sent, timestamp = time.monotonic(), rfc3339(datetime.now(UTC), "microseconds")
        spec = self._lease.spec
        ours = spec.holder_identity == self._identity
        renewed = replace(
            spec,
            holder_identity=self._identity,
            lease_duration_seconds=LEASE_SECONDS,
            acquire_time=spec.acquire_time if ours else timestamp,
            renew_time=timestamp,
            lease_transitions=spec.lease_transitions + (0 if ours else 1),
        )
        if self._lease.metadata.resource_version:
            await self._patch(msgspec.to_builtins(renewed), {"annotations": account})
        else:
            meta = replace(self._lease.metadata, annotations=account)
            self._lease = await self._cluster.create(LEASES, Lease(metadata=meta, spec=renewed))
        self._leadership.trust(sent)

    async def _patch(self, spec: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Patch these fields of the version that was read last; other fields stay. Raises Conflict."""
        meta = self._lease.metadata
        change = {"metadata": {**metadata, "resourceVersion": meta.resource_version}, "spec": spec}
        self._lease = await self._cluster.patch(LEASES, meta.namespace, meta.name, change)

    async def _release(self) -> None:
        """Release the Lease, so that a successor need not wait. After a failure, the Lease expires."""
        led = self._leadership.held
        self._leadership.end()
        if not led:
            return
        try:
            await self._patch({"holderIdentity": None}, {})
        except ApiError as error:
            log.info("the lease was not given back", why=str(error))
