"""The fenced writer."""

from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.leadership.leader_election import NotLeading
from agentidp.domain.resources import Secret, SecretMeta
from agentidp.kube.errors import Conflict, Invalid
from agentidp.kube.kinds import SECRETS
from tests.support.operators import Leader, a_leader

META = SecretMeta(name="screener", namespace="talent", labels={"theirs": "yes"})


async def a_stored_secret(leader: Leader, **fields: Any) -> Secret:
    """As the API server has it after these were set by somebody."""
    created = await leader.writer.create_secret(Secret(metadata=META, data={"value": b"1"}))
    changed: Secret = leader.cluster.change(SECRETS, created.key, **fields)
    return changed


async def test_fenced_writer_writes_nothing_without_the_lease() -> None:
    """Decision 7: no write is sent."""
    leader = a_leader()
    stored = await a_stored_secret(leader)
    leader.leadership.end()
    for write in (
        leader.writer.create_secret(stored),
        leader.writer.patch_secret(stored, {"data": {"value": b"2"}}),
        leader.writer.recreate_secret(stored, stored),
        leader.writer.delete_secret(stored),
    ):
        with pytest.raises(NotLeading):
            await write
    assert leader.cluster.all(SECRETS) == [stored]


async def test_fenced_writer_patches_the_version_that_was_read() -> None:
    """A newer version is a conflict; the answer is in the cache."""
    leader = a_leader()
    stored = await a_stored_secret(leader)
    written = await leader.writer.patch_secret(stored, {"data": {"value": b"2"}})
    assert (written.data, written.metadata.labels) == ({"value": b"2"}, META.labels)
    cached = leader.cache.secrets.get(stored.key)
    assert cached
    assert cached.metadata.resource_version == written.metadata.resource_version
    with pytest.raises(Conflict):
        await leader.writer.patch_secret(stored, {"data": {"value": b"3"}})


async def test_fenced_writer_recreates_an_immutable_secret_with_what_others_set() -> None:
    """Decision 43: another object, with the new data."""
    leader = a_leader()
    stored = await a_stored_secret(leader, immutable=True)
    wanted = replace(stored, data={"value": b"2"}, metadata=replace(stored.metadata, labels={"ours": "yes"}))
    written = await leader.writer.recreate_secret(stored, wanted)
    assert written.metadata.uid != stored.metadata.uid
    assert (written.data, written.immutable, written.metadata.labels) == (wanted.data, True, META.labels)
    with pytest.raises(Conflict):
        await leader.writer.recreate_secret(stored, wanted)


async def test_fenced_writer_waits_for_the_finalizers_of_others() -> None:
    """And names them: only their owners remove them."""
    leader = a_leader()
    stored = await a_stored_secret(leader, immutable=True)
    held = replace(stored.metadata, finalizers=("backup.example/hold",))
    stored = leader.cluster.change(SECRETS, stored.key, metadata=held)
    with pytest.raises(Invalid, match=r"backup\.example/hold"):
        await leader.writer.recreate_secret(stored, stored)
