"""The API server is away for half a minute: tokens are issued meanwhile, nothing is restarted, later changes arrive."""

import time
from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER
from devcluster.programs import PROGRAMS, Programs
from tests.support.objects import Objects
from tests.support.service_accounts import ask_by_assertion, make_service_account, token_of
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, ask, is_refused, is_served

OUTAGE_SECONDS = 30
EVERY_SECONDS = 0.25

Statuses = list[int]


@pytest.fixture(scope="module")
def programs(all_programs: Programs) -> Programs:
    """All of them."""
    return all_programs


@pytest.fixture(scope="module")
def cluster(own_cluster: ControlPlane) -> ControlPlane:
    """Not the one that all tests share: a part of it is stopped here."""
    return own_cluster


@pytest.fixture(scope="module")
def before(objects: Objects, programs: Programs) -> tuple[Tenant, Pair]:
    """A tenant with a credential that is in use."""
    tenant = Tenant.new(objects)
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return tenant, pair


@pytest.fixture(scope="module")
def unused(objects: Objects, programs: Programs) -> Pair:
    """A pair that nobody has shown before the outage."""
    return Tenant.new(objects).issue()


def a_workload(objects: Objects) -> Tenant:
    """A tenant whose agent names a ServiceAccount."""
    tenant = Tenant.new(objects)
    make_service_account(tenant)
    tenant.create("Agent", workloads=[{"serviceAccountName": NAME}])
    tenant.until("Agent", "Registered")
    return tenant


@pytest.fixture(scope="module")
def assertion(objects: Objects, programs: Programs) -> str:
    """A new token of a workload that was served before the outage."""
    tenant = a_workload(objects)
    former = token_of(tenant, programs.token_url)
    eventually("the workload is served", lambda: ask_by_assertion(programs.token_url, former).status_code == HTTPStatus.OK)
    return token_of(tenant, programs.token_url)


@pytest.fixture(scope="module")
def first_assertion(objects: Objects, programs: Programs) -> str:
    """A token of a workload that nobody has heard of before the outage."""
    return token_of(a_workload(objects), programs.token_url)


@pytest.fixture(scope="module")
def processes(programs: Programs) -> list[int]:
    """Those that run before the outage."""
    return [programs.process(program.name).pid for program in PROGRAMS]


@pytest.fixture(scope="module")
def outage(
    cluster: ControlPlane,
    programs: Programs,
    before: tuple[Tenant, Pair],
    unused: Pair,
    assertion: str,
    first_assertion: str,
    processes: list[int],
) -> dict[str, Statuses]:
    """What a workload and the kubelet were answered during the outage, which is over."""
    _, pair = before
    answers: dict[str, Statuses] = {"token": [], "alive": [], "ready": []}
    cluster.stop(API_SERVER)
    end = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < end:
        answers["token"].append(ask(pair).status_code)
        answers["alive"] += [httpx.get(programs.url(program.name) + "/healthz").status_code for program in PROGRAMS]
        answers["ready"].append(httpx.get(f"{programs.token_url}/readyz").status_code)
        time.sleep(EVERY_SECONDS)
    answers["first use"] = [ask(unused).status_code]
    answers["workload"] = [ask_by_assertion(programs.token_url, assertion).status_code]
    answers["first workload"] = [ask_by_assertion(programs.token_url, first_assertion).status_code]
    cluster.start(API_SERVER)
    return answers


def test_tokens_are_issued_meanwhile(outage: dict[str, Statuses], tell: Callable[[str], None]) -> None:
    """Every time, from what is in memory; also for a secret that was never shown before."""
    tell(f"tokens issued while the API server was away: {outage['token'].count(HTTPStatus.OK)} of {len(outage['token'])}")
    assert set(outage["token"]) == {HTTPStatus.OK}
    assert outage["first use"] == [HTTPStatus.OK]


def test_a_workload_is_served_meanwhile(outage: dict[str, Statuses]) -> None:
    """Its new token is verified with the keys, and held against the ServiceAccount, that the API server had before."""
    assert outage["workload"] == [HTTPStatus.OK]


def test_a_workload_that_was_never_served_is_told_to_come_back(outage: dict[str, Statuses]) -> None:
    """Nobody can say now whether the ServiceAccount that the token names is still the one that it was made for."""
    assert outage["first workload"] == [HTTPStatus.SERVICE_UNAVAILABLE]


def test_no_probe_fails_meanwhile(outage: dict[str, Statuses]) -> None:
    """A restart would help nobody, and the token service is still of use."""
    assert set(outage["alive"]) == {HTTPStatus.OK}
    assert set(outage["ready"]) == {HTTPStatus.OK}


def test_later_changes_arrive(outage: dict[str, Statuses], before: tuple[Tenant, Pair], objects: Objects) -> None:
    """A new credential is issued and works, and the old one ends when its spec says so."""
    tenant, pair = before
    fresh = Tenant.new(objects).issue()
    eventually("the new credential is served", lambda: is_served(fresh))
    tenant.change("AgentCredential", state="Revoked")
    eventually("the revoked one is refused", lambda: is_refused(pair))
    tenant.until("AgentCredential", "CredentialRevoked")
    eventually("its Secret is gone", lambda: tenant.find("Secret") is None)


def test_a_secret_that_is_removed_afterwards_comes_back(outage: dict[str, Statuses], objects: Objects) -> None:
    """The operator's watch of Secrets works again, too."""
    tenant = Tenant.new(objects)
    before = tenant.issue()
    tenant.remove("Secret")
    eventually("its value is served", lambda: is_served(tenant.another_pair(before)))


def test_nothing_was_restarted(outage: dict[str, Statuses], programs: Programs, processes: list[int]) -> None:
    """They are the same processes."""
    assert programs.ended() == []
    assert [programs.process(program.name).pid for program in PROGRAMS] == processes
