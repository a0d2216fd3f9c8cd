"""A secret is generated or rotated with a fault at any write: a secret that was returned works, any other is rolled back.

The writes go to a model of the API server. A process that crashes writes nothing any more; another one sweeps then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.resources import (
    AgentCredential,
    CredentialState,
    ProvidedHash,
)
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import CREDENTIALS, PENDING_CHANGES
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import cached_credential
from management_api.cache.metadata import GENERATED_BY
from management_api.errors import ApiFailure
from management_api.limits import Limits
from management_api.operations.credentials import CredentialOperations, CredentialResult
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.pending_changes import PendingChanges
from management_api.operations.propagation import Publication, Replicas
from management_api.operations.rollback import sweep
from management_api.operations.secret_generator import BoundedGenerator
from tests.support.management_parts import a_cached_agent, a_context, no_token, published
from tests.support.model_cluster import Crashed, Fault, ModelCluster
from tests.support.worlds import a_credential

HOME = "agentidp-system"
MAKER = BoundedGenerator(threads=1, cost=4, max_waiting=10)
AGENT = a_cached_agent()
BEFORE = ProvidedHash(hash=bcrypt.hashpw(b"before", bcrypt.gensalt(4)).decode(), hint="0a1b2c3d")


CONTEXT = a_context()
LIMITS = Limits(rollback_retry_seconds=0.0)
ANY_FAULT = st.sampled_from([None, *Fault])


class Process:
    """One process's connection to the API server: after a crash there is none."""

    def __init__(self, cluster: ModelCluster) -> None:
        self._cluster = cluster
        self.is_dead = False

    def __getattr__(self, verb: str) -> Callable[..., Awaitable[Any]]:
        """Any request."""

        async def request(*arguments: Any) -> Any:
            if self.is_dead:
                raise Crashed
            try:
                return await getattr(self._cluster, verb)(*arguments)
            except Crashed:
                self.is_dead = True
                raise

        return request


class World:
    """A credential with the hash BEFORE, or none; an operator that publishes at once; and processes of the API."""

    def __init__(self, *, has_credential: bool) -> None:
        self.cache = ClusterCache()
        self.recorded = asyncio.Event()
        """A change has been recorded."""
        self.cluster = ModelCluster(written=self._publish)
        self.before: AgentCredential | None = None
        if has_credential:
            meta = replace(a_credential().metadata, annotations={GENERATED_BY: "management-api"})
            one = replace(a_credential(secret_hash=BEFORE), metadata=meta)
            self.before = asyncio.run(self.cluster.create(CREDENTIALS, one))

    def _publish(self) -> None:
        if self.cluster.all(PENDING_CHANGES):
            self.recorded.set()
        for one in self.cluster.all(CREDENTIALS):
            self._put(one)

    def changes_of(self, process: Any, wait_seconds: float = 5.0) -> CredentialOperations:
        """What the process has of this API."""
        writer = OptimisticWriter(process, CREDENTIALS, self._put, LIMITS)
        publication, replicas = Publication(self.cache, wait_seconds), Replicas([], no_token, LIMITS)
        return CredentialOperations(writer, PendingChanges(process, HOME), MAKER, publication, replicas, LIMITS)

    def _put(self, credential: AgentCredential) -> None:
        self.cache.credentials.put(cached_credential(published(credential)))

    async def act(self, faults: list[Fault | None]) -> tuple[CredentialResult | None, bool]:
        """The result of a new process with these faults at its writes, if there is one, and whether the process has died."""
        process = Process(self.cluster)
        self.cluster.faults = list(faults)  # type: ignore[arg-type]
        return await self.act_as(process), process.is_dead

    async def act_as(self, process: Process, wait_seconds: float = 5.0) -> CredentialResult | None:
        """Rotate, or generate where there is nothing to rotate: what is result, if anything."""
        changes, result = self.changes_of(process, wait_seconds), None
        with suppress(ApiFailure, ApiError, Crashed):
            if self.before:
                result = await changes.rotate(AGENT, cached_credential(self.before), None, CONTEXT)
            else:
                result = await changes.generate(AGENT, None, CONTEXT)
        await at_rest()
        return result

    async def sweep(self, faults: list[Fault | None]) -> None:
        """By a new process, with these faults at its writes."""
        self.cluster.faults = list(faults)  # type: ignore[arg-type]
        await self.sweep_as(Process(self.cluster))

    async def sweep_as(self, process: Process) -> None:
        """Every record counts as abandoned."""
        later, changes = datetime.now(UTC) + timedelta(hours=1), self.changes_of(process)
        with suppress(Crashed):
            await sweep(self.cluster.all(PENDING_CHANGES), changes.roll_back, later, timedelta(seconds=40))

    def standing(self) -> list[str]:
        """The hashes that are accepted."""
        active = (one for one in self.cluster.all(CREDENTIALS) if one.spec.state is CredentialState.ACTIVE)
        return [one.spec.secret_hash.hash for one in active if one.spec.secret_hash]


async def at_rest() -> None:
    """What the process still owes is done; nothing takes longer than the faults that are left."""
    for _ in range(300):
        await asyncio.sleep(0)


@pytest.mark.parametrize("has_credential", [True, False], ids=["rotate", "generate"])
@settings(max_examples=100, deadline=None)
@given(faults=st.lists(ANY_FAULT, max_size=9), sweeps=st.lists(st.lists(ANY_FAULT, max_size=4), max_size=2))
def test_change_that_is_returned_works_and_any_other_is_rolled_back(
    has_credential: bool, faults: list[Fault | None], sweeps: list[list[Fault | None]]
) -> None:
    """Decision 13, for a fault at every write, and at every write of those that clean up."""
    world = World(has_credential=has_credential)
    as_before = world.standing()

    async def live() -> None:
        result, has_died = await world.act(faults)
        confirmed = not world.cluster.all(PENDING_CHANGES)
        for one in (*sweeps, [], []):
            await world.sweep(one)
        standing = world.standing()
        if result:
            assert len(standing) == 1
            assert bcrypt.checkpw((result.secret or "").encode(), standing[0].encode())
        elif not (has_died and confirmed):  # whoever dies between the confirmation and the answer has returned nothing
            assert standing == as_before
        assert world.cluster.all(PENDING_CHANGES) == []

    asyncio.run(live())


class Slow(Process):
    """A process whose requests take their time, each as many turns of the event loop as it is result."""

    def __init__(self, cluster: ModelCluster, turns: list[int]) -> None:
        super().__init__(cluster)
        self._turns = turns

    def __getattr__(self, verb: str) -> Callable[..., Awaitable[Any]]:
        """Any request."""
        request = super().__getattr__(verb)

        async def slowly(*arguments: Any) -> Any:
            for _ in range(self._turns.pop(0) if self._turns else 0):
                await asyncio.sleep(0)
            return await request(*arguments)

        return slowly


@pytest.mark.parametrize("has_credential", [True, False], ids=["rotate", "generate"])
@settings(max_examples=150, deadline=None)
@given(maker=st.lists(st.integers(0, 12), max_size=12), sweepers=st.lists(st.integers(0, 12), max_size=12))
def test_sweep_during_a_change_does_not_void_a_secret_that_is_returned(
    has_credential: bool, maker: list[int], sweepers: list[int]
) -> None:
    """A request may take longer than it should live: then others roll it back while it goes on."""
    world = World(has_credential=has_credential)
    as_before = world.standing()

    async def live() -> None:
        doing = asyncio.create_task(world.act_as(Slow(world.cluster, list(maker)), wait_seconds=0.02))
        await world.recorded.wait()
        await world.sweep_as(Slow(world.cluster, list(sweepers)))
        result = await doing
        await world.sweep([])
        if result:
            (standing,) = world.standing()
            assert bcrypt.checkpw((result.secret or "").encode(), standing.encode())
        else:
            assert world.standing() == as_before
        assert world.cluster.all(PENDING_CHANGES) == []

    asyncio.run(live())


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("write", range(4))
@pytest.mark.parametrize("has_credential", [True, False], ids=["rotate", "generate"])
def test_process_that_is_killed_at_a_write_leaves_no_change(has_credential: bool, write: int, fault: Fault) -> None:
    """Each write in turn; the last one confirms, and what comes after it is the answer."""
    world = World(has_credential=has_credential)
    as_before = world.standing()

    async def live() -> None:
        result, has_died = await world.act([None] * write + [fault])
        assert has_died or result
        confirmed = not world.cluster.all(PENDING_CHANGES)
        await world.sweep([])
        assert result or (world.standing() == as_before) or confirmed
        assert world.cluster.all(PENDING_CHANGES) == []

    asyncio.run(live())


def test_process_that_has_slept_too_long_writes_nothing() -> None:
    """It has recorded its rotation, and sleeps until that is rolled back. Its write finds another version of the credential."""
    world = World(has_credential=True)
    as_before = world.standing()

    class Sleepy(Process):
        """Others sweep while it is about to write the credential."""

        def __getattr__(self, verb: str) -> Callable[..., Awaitable[Any]]:
            request = super().__getattr__(verb)

            async def slowly(*arguments: Any) -> Any:
                if verb == "patch" and arguments[0] is CREDENTIALS:
                    await world.sweep([])
                return await request(*arguments)

            return slowly

    async def live() -> None:
        assert world.before
        with pytest.raises(ApiFailure, match="came first"):
            await world.changes_of(Sleepy(world.cluster)).rotate(AGENT, cached_credential(world.before), None, CONTEXT)

    asyncio.run(live())
    assert world.standing() == as_before
    assert world.cluster.all(PENDING_CHANGES) == []
