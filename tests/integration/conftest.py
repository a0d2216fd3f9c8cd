"""What the integration tests share: one real control plane, started once for the whole run."""

from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import install
from tests.support.api_server import ApiServer


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running cluster with everything but the programs: the four kinds, and identities with their rules."""
    with ControlPlane.launch(tmp_path_factory.mktemp("cluster")) as cluster:
        install(cluster.access)
        yield cluster


@pytest.fixture(scope="session")
def api_server(cluster: ControlPlane) -> Iterator[ApiServer]:
    """Its API over HTTP, as the admin."""
    with ApiServer(cluster.kubeconfig) as server:
        yield server
