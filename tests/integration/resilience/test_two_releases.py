"""Two operators of two releases in one cluster: the one that was here first leads, and nobody can pretend to be it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devcluster.access import Access
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR, Programs
from tests.support.objects import Objects
from tests.support.operator_metrics import leads
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

SECOND = "second-system"
SERVICE_ACCOUNT = "idp.sentryagent.ai/service-account"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
KINDS = ("Agent", "AgentCredential", "Secret")


class AccessOfSecond(Access):
    """Its programs act as the ServiceAccounts of the second release."""

    def identity(self, namespace: str, service_account: str) -> Path:
        """The operator's own; the rest is not started."""
        return super().identity(SECOND if service_account == OPERATOR.name else namespace, service_account)


def make(objects: Objects, path: str, body: dict[str, Any]) -> None:
    """It, unless it is there."""
    answer = objects.ask("POST", path, json=body)
    assert answer.status_code in {201, 409}, answer.text


def bind(objects: Objects, namespace: str) -> None:
    """An operator's rights for the ServiceAccount of this namespace, as the chart gives them."""
    make(objects, "/api/v1/namespaces", {"metadata": {"name": namespace}})
    make(objects, f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": OPERATOR.name}})
    subjects = [{"kind": "ServiceAccount", "name": OPERATOR.name, "namespace": namespace}]
    role = objects.ask("GET", f"{RBAC}/namespaces/{NAMESPACE}/roles/{OPERATOR.name}").raise_for_status().json()
    make(objects, f"{RBAC}/namespaces/{namespace}/roles", {"metadata": {"name": OPERATOR.name}, "rules": role["rules"]})
    bindings = {
        f"{RBAC}/clusterrolebindings": {"kind": "ClusterRole", "name": OPERATOR.name},
        f"{RBAC}/namespaces/{namespace}/rolebindings": {"kind": "Role", "name": OPERATOR.name},
    }
    for path, reference in bindings.items():
        made = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io"} | reference, "subjects": subjects}
        make(objects, path, {"metadata": {"name": namespace}} | made)


@pytest.fixture(scope="module")
def second(
    cluster: ControlPlane, operator: Programs, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programs]:
    """The operator of another release, which gives out another issuer, beside the one that leads."""
    eventually("the first leads", lambda: leads(operator))
    bind(objects, SECOND)
    access = AccessOfSecond(cluster.access.kubeconfig, tmp_path_factory.mktemp("access"))
    settings = {"AGENTIDP_ISSUER": "https://second.example", "AGENTIDP_NAMESPACE": SECOND}
    with Programs.launch(access, tmp_path_factory.mktemp("second"), settings, chosen=[OPERATOR]) as programs:
        yield programs
    objects.ask("DELETE", f"{RBAC}/clusterrolebindings/{SECOND}").raise_for_status()


def readiness(programs: Programs) -> httpx.Response:
    """What the kubelet is told."""
    return httpx.get(f"{programs.url(OPERATOR.name)}/readyz")


def test_the_second_does_not_lead_and_names_the_first(second: Programs, operator: Programs) -> None:
    """In its log, and to whoever asks why it is not ready."""
    eventually("it says so", lambda: NAMESPACE in str(readiness(second).json()["blockedBy"]))
    assert readiness(second).status_code == 503
    assert f"the operator of namespace '{NAMESPACE}'" in second.log(OPERATOR.name).read_text()
    assert not leads(second)
    assert readiness(operator).status_code == 200


def test_nothing_is_written_twice(second: Programs, tenant: Tenant) -> None:
    """Of what the first has brought to rest no version changes any more."""
    assert not leads(second)
    tenant.issue()
    eventually("it is counted", lambda: tenant.get("Agent")["status"].get("credentials", {}).get("active"))
    before = [tenant.version(kind, NAME) for kind in KINDS]
    for _ in range(3):
        Tenant.new(tenant.objects).issue()  # time enough for a second operator to have written, too
    assert [tenant.version(kind, NAME) for kind in KINDS] == before


def test_a_lease_of_a_tenant_stops_nobody(second: Programs, operator: Programs, objects: Objects, tenant: Tenant) -> None:
    """It has no rights of an operator, and cannot name a ServiceAccount of another namespace that has."""
    second.stop(OPERATOR.name)
    first = objects.get("Lease", OPERATOR.name, NAMESPACE)
    claimed = (f"system:serviceaccount:{tenant.namespace}:default", first["metadata"]["annotations"][SERVICE_ACCOUNT])
    operator.stop(OPERATOR.name)
    objects.ask("DELETE", f"{LEASES.format(NAMESPACE)}/{OPERATOR.name}").raise_for_status()
    for number, account in enumerate(claimed):
        other = tenant if number == 0 else Tenant.new(objects)
        meta = {"name": OPERATOR.name, "annotations": {SERVICE_ACCOUNT: account}}
        make(objects, LEASES.format(other.namespace), {"metadata": meta, "spec": {"holderIdentity": "somebody"}})
    objects.ask("DELETE", f"{LEASES.format(SECOND)}/{OPERATOR.name}")
    operator.start(OPERATOR.name)
    eventually("it leads", lambda: leads(operator))


def test_an_operator_that_is_gone_is_not_waited_for(second: Programs, operator: Programs, objects: Objects) -> None:
    """Uninstalled: its Lease stays, and its ServiceAccount has no rights any more."""
    operator.stop(OPERATOR.name)
    binding = objects.ask("GET", f"{RBAC}/clusterrolebindings/{OPERATOR.name}").raise_for_status().json()
    objects.ask("DELETE", f"{RBAC}/clusterrolebindings/{OPERATOR.name}").raise_for_status()
    try:
        second.start(OPERATOR.name)
        eventually("the second leads", lambda: leads(second))
        assert readiness(second).status_code == 200
    finally:
        del binding["metadata"]["resourceVersion"]
        make(objects, f"{RBAC}/clusterrolebindings", binding)
        second.stop(OPERATOR.name)
        operator.start(OPERATOR.name)
