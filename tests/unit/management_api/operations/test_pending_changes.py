"""Pending changes: one at a time of each credential, and a record that was claimed cannot be confirmed."""

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import CredentialRef, PreviousSecret
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import PENDING_CHANGES
from management_api.errors import ApiFailure
from management_api.operations.pending_changes import PendingChanges, generation, record_name, rotation
from tests.support.management_parts import a_credential_with_hash
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import NOW

HOME = "agentidp-system"
OLD, NEW = (f"$2b$10${letter * 53}" for letter in "ab")
SPEC = generation("talent", "screener-key", NEW, "a-request")


@pytest.fixture
def cluster() -> ModelCluster:
    """An API server without objects."""
    return ModelCluster()


@pytest.fixture
def pending(cluster: ModelCluster) -> PendingChanges:
    """The records in the namespace of this API."""
    return PendingChanges(cluster, HOME)  # type: ignore[arg-type]


async def test_pending_change_excludes_another_of_the_same_credential(pending: PendingChanges) -> None:
    """Until it is confirmed. The record is in the namespace of this API, where nobody else may write (decision 32)."""
    change = await pending.begin(SPEC)
    assert change.metadata.namespace == HOME
    with pytest.raises(ApiFailure, match="Nothing was done"):
        await pending.begin(SPEC)
    await pending.begin(generation("talent", "another-key", NEW, "another-request"))
    await pending.confirm(change)
    await pending.begin(SPEC)


async def test_pending_change_that_was_claimed_cannot_be_confirmed(pending: PendingChanges) -> None:
    """Decision 13: a record that was claimed has another version."""
    change = await pending.begin(SPEC)
    claimed = await pending.claim(change)
    with pytest.raises(ApiFailure, match="rolled back"):
        await pending.confirm(change)
    assert await pending.claim(claimed) == claimed


async def test_pending_change_that_was_confirmed_cannot_be_claimed(pending: PendingChanges) -> None:
    """Nor is a second confirmation an error: the answer to the first may have been lost."""
    change = await pending.begin(SPEC)
    await pending.confirm(change)
    await pending.confirm(change)
    with pytest.raises(NotFound):
        await pending.claim(change)


async def test_pending_change_is_claimed_by_one_process(pending: PendingChanges, cluster: ModelCluster) -> None:
    """The other one gets Conflict, and leaves the record to the first."""
    change = await pending.begin(SPEC)
    await pending.claim(change)
    with pytest.raises(Conflict):
        await pending.claim(change)
    await pending.settle(change)
    assert len(cluster.all(PENDING_CHANGES)) == 1


def test_rotation_records_the_hash_that_was_read() -> None:
    """Decision 32: nothing that an annotation says is put back."""
    before = a_credential_with_hash(OLD, expires_at=NOW)
    forged = {"idp.sentryagent.ai/unconfirmed": NEW}
    for credential in (before, replace(before, metadata=replace(before.metadata, annotations=forged))):
        assert rotation(credential, NEW, "r").previous == PreviousSecret(hash=OLD, hint="1b1b1b1b", expires_at=NOW)


def test_record_name_is_unique_to_a_credential() -> None:
    """Whatever two names have in common."""
    names = [("a", "b.c"), ("a.b", "c"), ("a", "b-c"), ("a-b", "c")]
    assert len({record_name(CredentialRef(namespace=namespace, name=name)) for namespace, name in names}) == len(names)
