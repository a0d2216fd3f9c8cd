"""What each ServiceAccount may do where everything runs as it ships, and what a pod of somebody else can reach.

A node of our own does not enforce NetworkPolicies, so what is shown here is the work of RBAC alone; the policies are looked at
where the chart is rendered.
"""

from http import HTTPStatus

import pytest

from devcluster.install import NAMESPACE
from tests.support.crd_schema import CHECKOUT
from tests.support.objects import Objects
from tests.support.pods import Pods
from tests.support.releases import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE, Release
from tests.support.tenants import NAME, Tenant

TABLES = CHECKOUT / "tests" / "e2e" / "rights"
OF_A_TENANT = "default"


@pytest.mark.parametrize("namespace", [NAMESPACE, OF_A_TENANT])
@pytest.mark.parametrize("account", [OPERATOR, TOKEN_SERVICE, MANAGEMENT_API])
def test_an_account_may_do_what_the_table_says(account: str, namespace: str, release: Release, pods: Pods) -> None:
    """As `kubectl auth can-i --list` tells it. A change of the chart's rules must be made in the table, too."""
    who = f"--as=system:serviceaccount:{NAMESPACE}:{account}"
    told = pods.kubectl("auth", "can-i", "--list", who, f"--namespace={namespace}").stdout
    assert rows(told) == rows((TABLES / f"{account}.{namespace}.txt").read_text())


def test_a_pod_of_another_tenant_cannot_read_secrets(tenant: Tenant, objects: Objects, pods: Pods) -> None:
    """Nor agents, nor credentials: it has the ServiceAccount that every pod is given, and tries for real."""
    tenant.issue()
    other = Tenant.new(objects)
    ours = f"/apis/idp.sentryagent.ai/v1alpha1/namespaces/{tenant.namespace}"
    paths = (
        f"/api/v1/namespaces/{tenant.namespace}/secrets/{NAME}",
        f"/api/v1/namespaces/{tenant.namespace}/secrets",
        "/api/v1/secrets",
        f"/api/v1/namespaces/{NAMESPACE}/secrets/agentidp-signing-keys",
        f"{ours}/agents/{NAME}",
        f"{ours}/agentcredentials/{NAME}",
    )
    foreign = Pods(pods.kubectl, other.namespace, pods.image)
    told = foreign.start("prying", "/workloads/prying.py", *paths).until_it_ends()
    objects.remove("Namespace", other.namespace)
    assert told == dict.fromkeys(paths, HTTPStatus.FORBIDDEN)


def rows(table: str) -> list[str]:
    """The rows, without the width of their columns."""
    return sorted(" ".join(line.split()) for line in table.splitlines() if line.strip())
