"""Without word from the API server for too long the token service issues nothing: a revocation may be waiting there."""

import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER
from devcluster.programs import Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import ask, is_served

MAX_STALENESS_SECONDS = "4"


@pytest.fixture(scope="module")
def cluster(own_cluster: ControlPlane) -> ControlPlane:
    """Not the one that all tests share: a part of it is stopped here."""
    return own_cluster


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """With little patience."""
    settings = {"AGENTIDP_MAX_STALENESS_SECONDS": MAX_STALENESS_SECONDS}
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings) as programs:
        yield programs


def ready(programs: Programs) -> bool:
    """Whether the pod would get requests."""
    return httpx.get(f"{programs.token_url}/readyz").is_success


def test_what_is_stale_issues_nothing(cluster: ControlPlane, programs: Programs, objects: Objects) -> None:
    """503 with Retry-After, not ready; and as before, without a restart, as soon as there is word."""
    pair = Tenant.new(objects).issue()
    eventually("it is served", lambda: is_served(pair))
    cluster.stop(API_SERVER)
    assert is_served(pair)
    refused = eventually("it is stale", lambda: ask(pair), lambda answer: answer.status_code != HTTPStatus.OK)
    assert (refused.status_code, refused.json()["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert not ready(programs)
    assert httpx.get(f"{programs.token_url}/healthz").is_success
    cluster.start(API_SERVER)
    eventually("it is ready", lambda: ready(programs))
    assert is_served(pair)


def test_quiet_is_not_stale(programs: Programs, objects: Objects) -> None:
    """A cluster in which nothing changes is heard of all the same."""
    answers = [httpx.get(f"{programs.token_url}/readyz").status_code for _ in _for_seconds(3 * float(MAX_STALENESS_SECONDS))]
    assert set(answers) == {HTTPStatus.OK}


def _for_seconds(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
