"""RBAC lets the operator write any Secret; an admission policy lets it write those of credentials, and its signing keys."""

import json
from collections.abc import Callable

import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.kubectl import Kubectl, KubectlError
from devcluster.programs import OPERATOR
from tests.support.tenants import Tenant

OURS = "idp.sentryagent.ai/credential"


@pytest.fixture
def operator(cluster: ControlPlane) -> Kubectl:
    """Whoever has got hold of its identity."""
    return cluster.kubectl_as(NAMESPACE, OPERATOR.name)


def a_secret(namespace: str, type_: str, name: str = "loot") -> str:
    """As JSON; it would be filled with a token of the namespace's default ServiceAccount, if it is of the type for that."""
    annotations = {"kubernetes.io/service-account.name": "default"}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type_})


@pytest.mark.parametrize("type_", ["kubernetes.io/service-account-token", "Opaque"])
@pytest.mark.parametrize("namespace", [NAMESPACE, "kube-system", None])
def test_it_makes_no_other_secrets(operator: Kubectl, tenant: Tenant, type_: str, namespace: str | None) -> None:
    """Of no type, in no namespace; and is told which it may."""
    with pytest.raises(KubectlError, match=OURS):
        operator("create", "--filename=-", input=a_secret(namespace or tenant.namespace, type_))


@pytest.mark.parametrize(
    "write",
    {
        "change": lambda operator, secret: operator("replace", "--filename=-", input=secret),
        "delete": lambda operator, secret: operator("delete", "--filename=-", input=secret),
    }.values(),
    ids=["change", "delete"],
)
def test_it_leaves_the_secrets_of_others_alone(
    operator: Kubectl, cluster: ControlPlane, tenant: Tenant, write: Callable[[Kubectl, str], object]
) -> None:
    """Whatever it is told to do with them."""
    secret = a_secret(tenant.namespace, "Opaque")
    cluster.kubectl("create", "--filename=-", input=secret)
    with pytest.raises(KubectlError, match=OURS):
        write(operator, secret)


def test_it_writes_the_secrets_of_credentials(operator: Kubectl, tenant: Tenant) -> None:
    """Which is what it is there for."""
    secret = a_secret(tenant.namespace, OURS)
    operator("create", "--filename=-", input=secret)
    operator("replace", "--filename=-", input=secret)
    operator("delete", "--filename=-", input=secret)


def test_it_writes_its_signing_keys(operator: Kubectl) -> None:
    """By their name, in its own namespace. That they are there already is found out after admission."""
    secret = a_secret(NAMESPACE, "Opaque", "agentidp-signing-keys")
    done = operator("create", "--dry-run=server", "--filename=-", input=secret, check=False)
    assert done.returncode == 0 or "already exists" in done.stderr


def test_others_are_not_concerned(cluster: ControlPlane, tenant: Tenant) -> None:
    """The policy is about one ServiceAccount."""
    cluster.kubectl("create", "--filename=-", input=a_secret(tenant.namespace, "Opaque"))
