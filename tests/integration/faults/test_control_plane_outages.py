"""The API server or etcd is killed in the middle of rotations, or all watches are cut: later, all is as it was asked for.

Nothing is restarted, and tokens are served meanwhile.
"""

import re
import signal
import time
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, ETCD
from devcluster.install import install
from devcluster.programs import OPERATOR, PROGRAMS, Programs
from tests.support.objects import Objects, path_of
from tests.support.rotations import is_first_write, request_rotations, until_rotated
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served

NAMES = [f"client-{number}" for number in range(10)]
LONGER_THAN_A_LEASE_IS_TRUSTED = 8.0
UNTIL_ALL_IS_WELL = 90.0


class Before(NamedTuple):
    """A tenant before an outage, and the processes that should outlive it."""

    tenant: Tenant
    pairs: list[Pair]
    processes: list[int]


@pytest.fixture(scope="module")
def programs(all_programs: Programs) -> Programs:
    """All of them."""
    return all_programs


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Not the one that all tests share: its parts are killed here."""
    with ControlPlane.launch(tmp_path_factory.mktemp("cluster")) as cluster:
        install(cluster.access)
        yield cluster


@pytest.fixture
def before(programs: Programs, tenant: Tenant) -> Before:
    """Some credentials that rotate with an overlap, and work."""
    tenant.create("Agent")
    for name in NAMES:
        tenant.create("AgentCredential", name, rotation={"overlap": "1h"})
    for name in NAMES:
        tenant.until("AgentCredential", "Issued", name)
    pairs = [tenant.pair(name) for name in NAMES]
    for pair in pairs:
        eventually("it is served", partial(is_served, pair))
    return Before(tenant, pairs, processes(programs))


@pytest.mark.parametrize("killed", [API_SERVER, ETCD])
def test_rotations_that_an_outage_interrupts_are_done_once_it_is_over(
    killed: str, before: Before, cluster: ControlPlane, programs: Programs
) -> None:
    """Each of them once, by the same processes; the old secrets are served all the time."""
    interrupt_rotations(before.tenant, cluster, killed)
    end = time.monotonic() + LONGER_THAN_A_LEASE_IS_TRUSTED
    while time.monotonic() < end:
        assert all(is_served(pair) for pair in before.pairs)
        assert all(is_alive(programs, program.name) for program in PROGRAMS)
    cluster.start(killed)
    until_rotated(before.tenant, *NAMES, within=UNTIL_ALL_IS_WELL)
    assert [hash_count(before.tenant, name) for name in NAMES] == [2] * len(NAMES)
    assert all(is_served(before.tenant.pair(name)) for name in NAMES)
    assert all(is_served(pair) for pair in before.pairs)
    assert processes(programs) == before.processes


def test_people_see_nothing_but_the_outage(cluster: ControlPlane, tenant: Tenant, programs: Programs) -> None:
    """It is kubectl's to tell them; when it is over, a credential says that it works, as before."""
    tenant.issue()
    version = tenant.version("AgentCredential")
    cluster.stop(API_SERVER)
    said = cluster.kubectl("get", "agcred", f"--namespace={tenant.namespace}", check=False)
    assert "refused" in said.stderr
    cluster.start(API_SERVER)
    tenant.until("AgentCredential", "Issued")
    assert tenant.version("AgentCredential") == version


def test_what_changed_while_all_watches_were_cut_is_noticed(
    cluster: ControlPlane, programs: Programs, objects: Objects
) -> None:
    """Their versions are compacted (410), so everything is listed again: what was removed is noticed by what is not there."""
    mended, revoked, deleted = (Tenant.new(objects) for _ in range(3))
    for tenant in (mended, revoked, deleted):
        tenant.issue()
    before, version = mended.pair(), mended.version("AgentCredential")
    operator, listings = programs.process(OPERATOR.name), count_listings(programs)
    operator.signal(signal.SIGSTOP)
    mended.remove("Secret")
    revoked.change("AgentCredential", state="Revoked")
    deleted.remove("AgentCredential")
    deleted.remove("Secret")
    compact(cluster)
    cluster.stop(API_SERVER)
    cluster.start(API_SERVER)
    eventually("nobody can watch from there", lambda: is_too_old(objects, version))
    operator.signal(signal.SIGCONT)
    assert mended.another_pair(before).client_id == before.client_id
    revoked.until("AgentCredential", "CredentialRevoked")
    eventually("its Secret is gone", lambda: revoked.find("Secret") is None)
    assert deleted.find("Secret") is None
    assert count_listings(programs) > listings
    assert programs.ended() == []


def interrupt_rotations(tenant: Tenant, cluster: ControlPlane, component: str) -> None:
    """As soon as the first of them has published a hash, `kill -9`."""
    with tenant.objects.watch("AgentCredential", tenant.namespace) as changes:
        request_rotations(tenant, *NAMES)
        next(change for change in changes if is_first_write(change.object))
        cluster.component(component).signal(signal.SIGKILL)
    cluster.stop(component)


def compact(cluster: ControlPlane) -> None:
    """All versions but the present one are forgotten."""
    with httpx.Client(base_url=f"{cluster.addresses.etcd}/v3/kv") as etcd:
        header = etcd.post("/range", json={"key": "AA=="}).raise_for_status().json()["header"]
        etcd.post("/compaction", json={"revision": header["revision"], "physical": True}).raise_for_status()


def is_too_old(objects: Objects, version: str) -> bool:
    """Whether nobody can watch from this version on."""
    params = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "1"}
    answer = objects.ask("GET", path_of("AgentCredential"), params=params)
    return answer.status_code == HTTPStatus.GONE or '"code":410' in answer.text


def count_listings(programs: Programs) -> int:
    """How often the operator has listed all its Secrets."""
    return len(re.findall(r"listed \d+ secrets", programs.log(OPERATOR.name).read_text()))


def hash_count(tenant: Tenant, name: str) -> int:
    """How many secrets are accepted: with the first one, one for each rotation."""
    return len(tenant.get("AgentCredential", name)["status"]["secretHashes"])


def is_alive(programs: Programs, name: str) -> bool:
    """Whether its liveness probe says so."""
    return httpx.get(f"{programs.url(name)}/healthz", timeout=30).status_code == HTTPStatus.OK


def processes(programs: Programs) -> list[int]:
    """Those that run."""
    assert programs.ended() == []
    return [programs.process(program.name).pid for program in PROGRAMS]
