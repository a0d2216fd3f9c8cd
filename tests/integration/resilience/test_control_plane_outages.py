"""The API server or etcd is killed in the middle of rotations, or all watches are cut: later, all is as it was asked for.

Nothing is restarted, and tokens are served meanwhile.
"""

import base64
import json
import re
import signal
import time
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple, Self

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, ETCD
from devcluster.programs import OPERATOR, PROGRAMS, Programs
from tests.support.objects import Objects
from tests.support.rotations import is_first_write, request_rotations, until_rotated
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served

CREDENTIALS = "idp.sentryagent.ai/agentcredentials"
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
def cluster(own_cluster: ControlPlane) -> ControlPlane:
    """Not the one that all tests share: its parts are killed here."""
    return own_cluster


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
    before, listings = mended.pair(), count_listings(programs)
    cluster.stop(API_SERVER)
    with Etcd(cluster) as etcd:
        etcd.remove(mended, "secrets")
        etcd.revoke(revoked)
        etcd.remove(deleted, CREDENTIALS)
        etcd.remove(deleted, "secrets")
        etcd.compact()
    cluster.start(API_SERVER)
    assert mended.another_pair(before).client_id == before.client_id
    revoked.until("AgentCredential", "CredentialRevoked")
    eventually("its Secret is gone", lambda: revoked.find("Secret") is None)
    assert deleted.find("Secret") is None
    assert count_listings(programs) > listings
    assert programs.ended() == []


class Etcd:
    """What is stored, changed behind the API server's back."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._http = httpx.Client(base_url=f"{cluster.addresses.etcd}/v3/kv")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def remove(self, tenant: Tenant, resources: str) -> None:
        """The tenant's object."""
        assert self._ask("/deleterange", key=_key(tenant, resources))["deleted"] == "1"

    def revoke(self, tenant: Tenant) -> None:
        """The tenant's credential."""
        key = _key(tenant, CREDENTIALS)
        (stored,) = self._ask("/range", key=key)["kvs"]
        credential = json.loads(base64.b64decode(stored["value"]))
        credential["spec"]["state"] = "Revoked"
        credential["metadata"]["generation"] += 1
        self._ask("/put", key=key, value=_encoded(json.dumps(credential)))

    def compact(self) -> None:
        """All versions but the present one are forgotten."""
        revision = self._ask("/range", key=_encoded("any"))["header"]["revision"]
        self._ask("/compaction", revision=revision, physical=True)

    def _ask(self, path: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.post(path, json=request).raise_for_status().json()
        return answer


def _key(tenant: Tenant, resources: str) -> str:
    return _encoded(f"/registry/{resources}/{tenant.namespace}/{NAME}")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def interrupt_rotations(tenant: Tenant, cluster: ControlPlane, component: str) -> None:
    """As soon as the first of them has published a hash, `kill -9`."""
    with tenant.objects.watch("AgentCredential", tenant.namespace) as changes:
        request_rotations(tenant, *NAMES)
        next(change for change in changes if is_first_write(change.object))
        cluster.component(component).signal(signal.SIGKILL)
    cluster.stop(component)


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
