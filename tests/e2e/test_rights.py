"""What each ServiceAccount may do where everything runs as it ships, and what a pod of somebody else can reach.

A node of our own does not enforce NetworkPolicies, so what is shown here is the work of RBAC alone; the policies are looked at
where the chart is rendered.
"""

from collections.abc import Iterator
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
TOKENS, MANAGEMENT = (f"http://{name}.{NAMESPACE}.svc" for name in (TOKEN_SERVICE, MANAGEMENT_API))


@pytest.mark.parametrize("namespace", [NAMESPACE, OF_A_TENANT])
@pytest.mark.parametrize("account", [OPERATOR, TOKEN_SERVICE, MANAGEMENT_API])
def test_an_account_may_do_what_the_table_says(account: str, namespace: str, release: Release, pods: Pods) -> None:
    """As `kubectl auth can-i --list` tells it. A change of the chart's rules must be made in the table, too."""
    who = f"--as=system:serviceaccount:{NAMESPACE}:{account}"
    told = pods.kubectl("auth", "can-i", "--list", who, f"--namespace={namespace}").stdout
    assert rows(told) == rows((TABLES / f"{account}.{namespace}.txt").read_text())


def test_a_pod_of_another_tenant_cannot_read_secrets(tenant: Tenant, foreign: Pods) -> None:
    """Nor agents, nor credentials: it has the ServiceAccount that every pod is given, and tries for real."""
    tenant.issue()
    ours = f"/apis/idp.sentryagent.ai/v1alpha1/namespaces/{tenant.namespace}"
    told = pry(
        foreign,
        f"/api/v1/namespaces/{tenant.namespace}/secrets/{NAME}",
        f"/api/v1/namespaces/{tenant.namespace}/secrets",
        "/api/v1/secrets",
        f"/api/v1/namespaces/{NAMESPACE}/secrets/agentidp-signing-keys",
        f"{ours}/agents/{NAME}",
        f"{ours}/agentcredentials/{NAME}",
    )
    assert {as_itself for _, as_itself in told.values()} == {HTTPStatus.FORBIDDEN}
    assert {as_a_stranger for as_a_stranger, _ in told.values()} <= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def test_a_pod_of_another_tenant_is_told_by_the_programs_what_everybody_may_know(tenant: Tenant, foreign: Pods) -> None:
    """It reaches both over HTTP: the keys are public; what is internal, and whose agents there are, it is not told."""
    agent = tenant.issue().client_id
    keys = f"{TOKENS}/.well-known/jwks.json"
    internal = [f"{TOKENS}/internal/usage", f"{TOKENS}/internal/applied?credential=any&version=1"]
    others = [f"{MANAGEMENT}/api/v1/agents", f"{MANAGEMENT}/api/v1/agents/{agent}"]
    told = pry(foreign, keys, *internal, *others)
    assert told.pop(keys) == (HTTPStatus.OK, HTTPStatus.OK)
    assert {url: told.pop(url) for url in internal} == dict.fromkeys(internal, (HTTPStatus.UNAUTHORIZED,) * 2)
    assert {as_a_stranger for as_a_stranger, _ in told.values()} == {HTTPStatus.UNAUTHORIZED}
    assert {as_itself for _, as_itself in told.values()} <= {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


@pytest.fixture
def foreign(objects: Objects, pods: Pods) -> Iterator[Pods]:
    """Pods of a tenant that has nothing."""
    other = Tenant.new(objects)
    yield Pods(pods.kubectl, other.namespace, pods.image)
    objects.remove("Namespace", other.namespace)


def pry(foreign: Pods, *urls: str) -> dict[str, tuple[int, int]]:
    """How each was answered: to a stranger, and to the pod as itself."""
    told = foreign.start("prying", "/workloads/prying.py", *urls).until_it_ends()
    return {url: tuple(statuses) for url, statuses in told.items()}


def rows(table: str) -> list[str]:
    """The rows, without the width of their columns."""
    return sorted(" ".join(line.split()) for line in table.splitlines() if line.strip())
