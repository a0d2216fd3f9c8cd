"""Three replicas of the token service, and a management API that waits for all of them."""

from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane
from tests.support.objects import Objects
from tests.support.replicated import Client, Stage, staged
from tests.support.waiting import eventually
from tests.support.workload import Pair


@pytest.fixture(scope="module")
def cluster(own_cluster: ControlPlane) -> ControlPlane:
    """Not the one that all tests share: a part of it is stopped here."""
    return own_cluster


@pytest.fixture(scope="module")
def stage(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """For as long as a module's tests run."""
    with staged(cluster, tmp_path_factory.mktemp("programs")) as stage:
        yield stage


@pytest.fixture
def client(stage: Stage, objects: Objects) -> Client:
    """A new one."""
    return Client.new(stage, objects)


@pytest.fixture
def credential(stage: Stage, client: Client) -> tuple[str, Pair]:
    """The id of a credential, and its pair, which every replica has served."""
    credential_id, pair = client.generate()
    eventually("all serve it", lambda: stage.all_serve(pair))
    return credential_id, pair
