"""What the integration tests share: one real control plane, started once for the whole run, and the programs on it."""

from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, TOKEN_SERVICE, Programs
from tests.support.api_server import ApiServer
from tests.support.control_planes import installed_cluster
from tests.support.objects import Objects
from tests.support.tenants import Tenant


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The one that all tests share, with everything but the programs."""
    with installed_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One like it, for a module that breaks it, or needs two."""
    with installed_cluster(tmp_path_factory.mktemp("own-cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def api_server(cluster: ControlPlane) -> Iterator[ApiServer]:
    """Its API over HTTP, as the admin."""
    with ApiServer(cluster.kubeconfig) as server:
        yield server


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """The operator and the token service, each as itself, for as long as a module's tests run."""
    logs = tmp_path_factory.mktemp("programs")
    with Programs.launch(cluster.access, logs, chosen=[OPERATOR, TOKEN_SERVICE]) as programs:
        yield programs


@pytest.fixture(scope="module")
def all_programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Those and the management API, which lets one caller ask as often as it likes."""
    settings = {"AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0", "AGENTIDP_NAMESPACE_WRITES_PER_SECOND": "0"}
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings) as programs:
        yield programs


@pytest.fixture(scope="module")
def operator(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """The operator alone, where no test asks for a token."""
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("operator"), chosen=[OPERATOR]) as programs:
        yield programs


@pytest.fixture(scope="module")
def objects(cluster: ControlPlane) -> Iterator[Objects]:
    """The cluster's objects, as the admin."""
    with Objects(cluster.kubeconfig) as objects:
        yield objects


@pytest.fixture
def tenant(objects: Objects) -> Tenant:
    """A tenant with a new namespace."""
    return Tenant.new(objects)
