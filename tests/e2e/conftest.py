"""What the end-to-end tests share: a cluster that runs pods, and on it the image from the Dockerfile, installed by the chart.

The cluster is a node of our own, or with CLUSTER=kind in the environment one of kind. Where neither can run, the tests do not
fail: pytest ends with a status of its own and says what is missing.
"""

import os
from collections.abc import Iterator

import pytest

from devcluster.__main__ import CANNOT_RUN_HERE
from devcluster.kind import Kind
from devcluster.node.node import Node
from devcluster.node.requirements import CannotRunHereError
from tests.support.cluster_state import State, state_of
from tests.support.crd_schema import CHECKOUT
from tests.support.objects import Objects
from tests.support.pods import Pods
from tests.support.releases import IMAGE, NEXT_IMAGE, Release
from tests.support.tenants import Tenant

Cluster = Node | Kind


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with the image on it."""
    kind = Kind if os.environ.get("CLUSTER") == "kind" else Node
    try:
        cluster = kind.launch(tmp_path_factory.mktemp("node") / "cluster")
    except CannotRunHereError as error:
        pytest.exit(f"the end-to-end tests did not run: {error}", returncode=CANNOT_RUN_HERE)
    with cluster:
        cluster.provide(IMAGE, CHECKOUT, {})
        yield cluster


@pytest.fixture(scope="session")
def before(cluster: Cluster) -> State:
    """What there was in the cluster before anything was installed."""
    return state_of(cluster.access.kubectl)


@pytest.fixture(scope="module")
def release(cluster: Cluster, before: State) -> Release:
    """What the chart installs by its own values, but for the image's name; all of it is ready."""
    release = Release(cluster.access)
    release.install()
    return release


@pytest.fixture(scope="session")
def next_image(cluster: Cluster) -> str:
    """The name of an image that differs in its version only."""
    cluster.provide(NEXT_IMAGE, CHECKOUT, {"VERSION": "0.1.1"})
    return NEXT_IMAGE


@pytest.fixture(scope="session")
def objects(cluster: Cluster) -> Iterator[Objects]:
    """The cluster's objects, as the admin."""
    with Objects(cluster.access.kubeconfig) as objects:
        yield objects


@pytest.fixture
def tenant(release: Release, objects: Objects) -> Iterator[Tenant]:
    """A tenant with a new namespace, which is removed in the end."""
    tenant = Tenant.new(objects)
    yield tenant
    objects.remove("Namespace", tenant.namespace)


@pytest.fixture
def pods(cluster: Cluster, tenant: Tenant) -> Pods:
    """Pods of that tenant."""
    return Pods(cluster.access.kubectl, tenant.namespace, IMAGE)
