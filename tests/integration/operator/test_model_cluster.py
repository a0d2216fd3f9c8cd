"""The model of the API server, on which crashes are tried, answers like the real one: the same tests pass on both."""

import os
from collections.abc import AsyncIterator
from typing import Any

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
)
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import CREDENTIALS
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
    left = await any_cluster.find(CREDENTIALS, *created.key)
    if left:
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
    written = await any_cluster.replace(CREDENTIALS, changed, "status")
    assert (written.status, written.spec) == (status, stored.spec)
    assert int(written.metadata.resource_version) > int(stored.metadata.resource_version)
    assert written.metadata.generation == stored.metadata.generation


async def test_a_write_from_an_old_version_is_a_conflict(any_cluster: Any, stored: AgentCredential) -> None:
    """What was written in between stays."""
    first = replace(stored, status=CredentialStatus(phase=CredentialPhase.PENDING))
    written = await any_cluster.replace(CREDENTIALS, first, "status")
    second = replace(stored, status=CredentialStatus(phase=CredentialPhase.ACTIVE))
    with pytest.raises(Conflict):
        await any_cluster.replace(CREDENTIALS, second, "status")
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
    """The version stays."""
    assert await any_cluster.patch(CREDENTIALS, *stored.key, {"spec": {"state": "Active"}}) == stored


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
    written = await any_cluster.replace(CREDENTIALS, changed, "status")
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
        await any_cluster.replace(CREDENTIALS, stored, "status")
    with pytest.raises(NotFound):
        await any_cluster.patch(CREDENTIALS, *stored.key, {"spec": {"state": "Revoked"}})


def _named(stored: AgentCredential) -> ObjectMeta:
    return ObjectMeta(name=stored.metadata.name, namespace=stored.metadata.namespace)
