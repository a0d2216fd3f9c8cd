"""The optimistic writer: a patch is computed from the object as it is stored, and written only onto that version."""

from typing import Any

import pytest

from agentidp.domain.resources import AgentCredential, NamespacedName
from agentidp.kube.kinds import CREDENTIALS
from management_api.cache.credentials import cached_credential
from management_api.errors import ApiFailure, Code, credential_not_found
from management_api.limits import Limits
from management_api.operations.optimistic_writer import OptimisticWriter, Target, credential_target
from tests.support.model_cluster import Fault, ModelCluster
from tests.support.worlds import a_credential

ATTEMPTS = 3
REVOKED = {"spec": {"state": "Revoked"}}


class Writes:
    """A writer, its model cluster with one credential, and the objects that it has written."""

    def __init__(self) -> None:
        self.cluster = ModelCluster()
        self.stored: list[AgentCredential] = []
        limits = Limits(max_write_attempts=ATTEMPTS)
        self.writer: OptimisticWriter[AgentCredential]
        self.writer = OptimisticWriter(self.cluster, CREDENTIALS, self.stored.append, limits)  # type: ignore[arg-type]

    async def target(self) -> Target:
        """A new credential."""
        return credential_target(cached_credential(await self.writer.create(a_credential())))


async def test_writer_patches_the_object_as_it_is_stored() -> None:
    """A write of somebody else in between makes it read and compute again."""
    writes = Writes()
    target = await writes.target()
    writes.cluster.faults = [Fault.OUTRUN]
    versions = list[str]()

    def patch_for(current: AgentCredential) -> dict[str, Any]:
        versions.append(current.metadata.resource_version)
        return REVOKED

    stored = await writes.writer.change(target, patch_for)
    assert len(set(versions)) == 2
    assert writes.stored[-1] == stored == writes.cluster.all(CREDENTIALS)[0]


async def test_writer_gives_up_after_its_attempts() -> None:
    """503, which says that nothing was done."""
    writes = Writes()
    target = await writes.target()
    writes.cluster.faults = [Fault.OUTRUN] * ATTEMPTS
    with pytest.raises(ApiFailure, match="Nothing was done") as raised:
        await writes.writer.change(target, lambda _: REVOKED)
    assert raised.value.code is Code.UNAVAILABLE
    assert not writes.cluster.faults


async def test_writer_writes_nothing_for_an_empty_patch() -> None:
    """And returns the object as it is."""
    writes = Writes()
    target = await writes.target()
    assert await writes.writer.change(target, lambda _: {}) == writes.stored[0]
    assert len(writes.stored) == 1


async def test_writer_does_not_touch_a_later_object_of_the_same_name() -> None:
    """It has another uid: the caller was authorized for the first one."""
    writes = Writes()
    target = await writes.target()
    writes.cluster.take_away(CREDENTIALS, NamespacedName(target.namespace, target.name))
    await writes.target()
    for missing in (target, target._replace(name="no-such-name", missing=credential_not_found("another"))):
        with pytest.raises(ApiFailure) as raised:
            await writes.writer.change(missing, lambda _: REVOKED)
        assert raised.value is missing.missing
