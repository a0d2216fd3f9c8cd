"""The model of the API server, on which crashes are tried, answers like the real one: the same tests pass on both."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from agentidp.domain.resources import (
    AgentCredential,
    AgentRef,
    CredentialPhase,
    CredentialSpec,
    CredentialState,
    CredentialStatus,
    ObjectMeta,
    OwnerReference,
    Secret,
    SecretMeta,
)
from agentidp.kube.client import STRATEGIC_MERGE_PATCH, KubeClient
from agentidp.kube.errors import Conflict, Invalid, NotFound
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from devcluster.cluster import ControlPlane
from tests.support.model_cluster import ModelCluster

NAMESPACE = "default"


@pytest.fixture(params=["the model", "a real API server"])
async def any_cluster(request: pytest.FixtureRequest, cluster: ControlPlane) -> AsyncIterator[Any]:
    """One, then the other."""
    if request.param == "the model":
        yield ModelCluster()
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "KUBECONFIG", str(cluster.kubeconfig))
        connected = await KubeClient.connect("conformance")
    yield connected
    await connected.close()


@pytest.fixture
async def stored(any_cluster: Any) -> AsyncIterator[AgentCredential]:
    """A credential that was just created."""
    meta = ObjectMeta(name="conformance", namespace=NAMESPACE)
    created = await any_cluster.create(
        CREDENTIALS, AgentCredential(metadata=meta, spec=CredentialSpec(agent_ref=AgentRef(name="nobody")))
    )
    yield created
    while left := await any_cluster.find(CREDENTIALS, *created.key):
        with suppress(Conflict, NotFound):
            await any_cluster.delete(CREDENTIALS, left)


async def test_a_created_object_has_an_identity_and_a_version(stored: AgentCredential) -> None:
    """And its first generation."""
    assert stored.metadata.uid
    assert int(stored.metadata.resource_version) > 0
    assert stored.metadata.generation == 1
    assert stored.metadata.creation_timestamp


async def test_a_name_is_given_once(any_cluster: Any, stored: AgentCredential) -> None:
    """A second create is a conflict, and changes nothing."""
    with pytest.raises(Conflict):
        await any_cluster.create(CREDENTIALS, AgentCredential(metadata=_named(stored), spec=stored.spec))
    assert await any_cluster.get(CREDENTIALS, *stored.key) == stored


async def test_a_status_write_changes_the_status_alone(any_cluster: Any, stored: AgentCredential) -> None:
    """The spec in its body is ignored, and the version grows."""
    status = CredentialStatus(phase=CredentialPhase.PENDING)
    changed = replace(stored, status=status, spec=replace(stored.spec, state=CredentialState.REVOKED))
    written = await any_cluster.replace_status(CREDENTIALS, changed)
    assert (written.status, written.spec) == (status, stored.spec)
    assert int(written.metadata.resource_version) > int(stored.metadata.resource_version)
    assert written.metadata.generation == stored.metadata.generation


async def test_a_write_from_an_old_version_is_a_conflict(any_cluster: Any, stored: AgentCredential) -> None:
    """What was written in between stays."""
    first = replace(stored, status=CredentialStatus(phase=CredentialPhase.PENDING))
    written = await any_cluster.replace_status(CREDENTIALS, first)
    second = replace(stored, status=CredentialStatus(phase=CredentialPhase.ACTIVE))
    with pytest.raises(Conflict):
        await any_cluster.replace_status(CREDENTIALS, second)
    assert await any_cluster.get(CREDENTIALS, *stored.key) == written


async def test_a_patch_merges(any_cluster: Any, stored: AgentCredential) -> None:
    """RFC 7396: what it names is changed, None removes, and the rest stays. A new spec is a new generation."""
    annotated = await any_cluster.patch(CREDENTIALS, *stored.key, {"metadata": {"annotations": {"a": "1", "b": "2"}}})
    assert annotated.metadata.annotations == {"a": "1", "b": "2"}
    assert (annotated.spec, annotated.metadata.generation) == (stored.spec, stored.metadata.generation)
    assert int(annotated.metadata.resource_version) > int(stored.metadata.resource_version)
    change = {"metadata": {"annotations": {"a": None}}, "spec": {"state": "Revoked"}}
    revoked = await any_cluster.patch(CREDENTIALS, *stored.key, change)
    assert revoked.metadata.annotations == {"b": "2"}
    assert revoked.spec == replace(stored.spec, state=CredentialState.REVOKED)
    assert revoked.metadata.generation == stored.metadata.generation + 1


async def test_a_patch_of_nothing_is_no_write(any_cluster: Any, stored: AgentCredential) -> None:
    """The version stays, once the default of the status is stored, which the first write after the creation does."""
    change = {"spec": {"state": "Active"}}
    written = await any_cluster.patch(CREDENTIALS, *stored.key, change)
    assert await any_cluster.patch(CREDENTIALS, *stored.key, change) == written


async def test_a_patch_of_an_old_version_is_a_conflict(any_cluster: Any, stored: AgentCredential) -> None:
    """Where it names one."""
    change = {"metadata": {"annotations": {"a": "1"}}}
    written = await any_cluster.patch(CREDENTIALS, *stored.key, change)
    late = {"metadata": {"annotations": {"a": "2"}, "resourceVersion": stored.metadata.resource_version}}
    with pytest.raises(Conflict):
        await any_cluster.patch(CREDENTIALS, *stored.key, late)
    assert await any_cluster.get(CREDENTIALS, *stored.key) == written


async def test_only_the_version_that_was_seen_is_deleted(any_cluster: Any, stored: AgentCredential) -> None:
    """A later one is a conflict."""
    changed = replace(stored, status=CredentialStatus(phase=CredentialPhase.PENDING))
    written = await any_cluster.replace_status(CREDENTIALS, changed)
    with pytest.raises(Conflict):
        await any_cluster.delete(CREDENTIALS, stored)
    await any_cluster.delete(CREDENTIALS, written)
    assert await any_cluster.find(CREDENTIALS, *stored.key) is None


async def test_what_is_not_there_is_said_to_be_missing(any_cluster: Any, stored: AgentCredential) -> None:
    """By every verb but create; `find` says None."""
    await any_cluster.delete(CREDENTIALS, stored)
    assert await any_cluster.find(CREDENTIALS, *stored.key) is None
    for request in (any_cluster.get(CREDENTIALS, *stored.key), any_cluster.delete(CREDENTIALS, stored)):
        with pytest.raises(NotFound):
            await request
    with pytest.raises(NotFound):
        await any_cluster.replace_status(CREDENTIALS, stored)
    with pytest.raises(NotFound):
        await any_cluster.patch(CREDENTIALS, *stored.key, {"spec": {"state": "Revoked"}})


@pytest.fixture
async def secret(any_cluster: Any, stored: AgentCredential) -> AsyncIterator[Secret]:
    """A Secret that was just created, and has an owner that is there."""
    owners = (_owner(stored.metadata.uid),)
    meta = SecretMeta(name="conformance", namespace=NAMESPACE, labels={"a": "1"}, owner_references=owners)
    yield await any_cluster.create(SECRETS, Secret(metadata=meta, data={"a": b"1", "b": b"2"}))
    while left := await any_cluster.find(SECRETS, NAMESPACE, "conformance"):
        with suppress(Conflict, NotFound):  # the garbage collector takes out an owner that is not there
            await any_cluster.delete(SECRETS, left)


async def test_a_strategic_patch_of_a_secret_merges_its_owners_by_uid(any_cluster: Any, secret: Secret) -> None:
    """Kubernetes' API reference: `ownerReferences` have the patch strategy merge, and the merge key uid."""
    first = replace(secret.metadata.owner_references[0], controller=True)
    second = _owner("00000000-0000-4000-8000-000000000000")
    owners = [msgspec.to_builtins(second), msgspec.to_builtins(first)]
    change = {"metadata": {"ownerReferences": owners, "labels": {"a": None, "b": "2"}}, "data": {"a": None, "c": b"3"}}
    patched = await any_cluster.patch(SECRETS, *secret.key, change, STRATEGIC_MERGE_PATCH)
    assert set(patched.metadata.owner_references) == {first, second}
    assert patched.metadata.labels == {"b": "2"}
    assert patched.data == {"b": b"2", "c": b"3"}


async def test_an_immutable_secret_takes_metadata_and_no_data(any_cluster: Any, secret: Secret) -> None:
    """Kubernetes' API reference, `immutable`: only object metadata can be modified."""
    frozen = await any_cluster.patch(SECRETS, *secret.key, {"immutable": True})
    labelled = await any_cluster.patch(SECRETS, *frozen.key, {"metadata": {"labels": {"b": "2"}}})
    assert labelled.metadata.labels == {"a": "1", "b": "2"}
    with pytest.raises(Invalid):
        await any_cluster.patch(SECRETS, *frozen.key, {"data": {"a": b"2"}})


async def test_a_manifest_is_created_once(any_cluster: Any, secret: Secret) -> None:
    """With all that it has; a second one of the name is a conflict."""
    manifest = await any_cluster.manifest(SECRETS, *secret.key)
    bare = {"name": "conformance", "namespace": NAMESPACE, "labels": {"z": "26"}}
    with pytest.raises(Conflict):
        await any_cluster.create_manifest(SECRETS, NAMESPACE, {**manifest, "metadata": bare})
    await any_cluster.delete(SECRETS, secret)
    created = await any_cluster.create_manifest(SECRETS, NAMESPACE, {**manifest, "metadata": bare, "immutable": True})
    assert (created.data, created.metadata.labels, created.immutable) == (secret.data, {"z": "26"}, True)


def _owner(uid: str) -> OwnerReference:
    return OwnerReference(api_version=CREDENTIALS.api_version, kind=CREDENTIALS.name, name="conformance", uid=uid)


def _named(stored: AgentCredential) -> ObjectMeta:
    return ObjectMeta(name=stored.metadata.name, namespace=stored.metadata.namespace)
