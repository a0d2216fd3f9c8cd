"""RBAC lets the operator write any Secret; an admission policy lets it write those of credentials, and its signing keys."""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.kubectl import Kubectl, KubectlError
from devcluster.programs import OPERATOR
from tests.support.objects import Objects
from tests.support.tenants import Tenant

OURS, KEYS = "idp.sentryagent.ai/credential", "idp.sentryagent.ai/signing-keys"
TOKEN = "kubernetes.io/service-account-token"
RELABEL = '{"metadata": {"labels": {"changed": "yes"}}}'
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def operator(cluster: ControlPlane) -> Kubectl:
    """Whoever has got hold of its identity."""
    return cluster.kubectl_as(NAMESPACE, OPERATOR.name)


def a_secret(namespace: str, type_: str, name: str = "loot") -> str:
    """As JSON; it would be filled with a token of the namespace's default ServiceAccount, if it is of the type for that."""
    annotations = {"kubernetes.io/service-account.name": "default"}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type_})


@pytest.mark.parametrize("type_", [TOKEN, KEYS, "Opaque"])
@pytest.mark.parametrize("namespace", [NAMESPACE, "kube-system", None])
def test_it_makes_no_other_secrets(operator: Kubectl, tenant: Tenant, type_: str, namespace: str | None) -> None:
    """Of no type, in no namespace; and is told which it may."""
    with pytest.raises(KubectlError, match=OURS):
        operator("create", "--filename=-", input=a_secret(namespace or tenant.namespace, type_))


@pytest.mark.parametrize(
    "write",
    {
        "change": lambda operator, secret: operator("patch", "--filename=-", "--patch", RELABEL, input=secret),
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
    operator("patch", "--filename=-", "--patch", RELABEL, input=secret)
    operator("delete", "--filename=-", input=secret)


NAMES = ("agentidp-signing-keys", "loot")
TYPES = (OURS, KEYS, TOKEN, "Opaque")


def may_be_written(namespace: str, name: str, *types: str) -> bool:
    """As docs/threat-model.md says: Secrets of credentials anywhere, and the signing keys by name, place and type."""
    return set(types) == {OURS} or (namespace == NAMESPACE and name == NAMES[0] and set(types) == {KEYS})


@pytest.fixture(scope="module")
def without_programs(own_cluster: ControlPlane) -> Iterator[tuple[Objects, Objects]]:
    """An administrator and the operator of a cluster where nobody else has signing keys."""
    with Objects(own_cluster.kubeconfig) as admin, Objects(own_cluster.identity(NAMESPACE, OPERATOR.name)) as operator:
        yield admin, operator


@pytest.mark.parametrize("namespace", [NAMESPACE, "default"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("was", [None, *TYPES])
def test_what_the_operator_may_write(
    without_programs: tuple[Objects, Objects], namespace: str, name: str, was: str | None
) -> None:
    """Every operation on every type, by what the Secret was and what it becomes; only tried, so that nothing comes of it."""
    admin, operator = without_programs
    collection, path = f"/api/v1/namespaces/{namespace}/secrets", f"/api/v1/namespaces/{namespace}/secrets/{name}"
    dry = {"dryRun": "All"}
    if was is None:
        for type_ in TYPES:
            created = operator.ask("POST", collection, content=a_secret(namespace, type_, name), params=dry)
            assert created.is_success == may_be_written(namespace, name, type_), created.text
        return
    admin.ask("POST", collection, content=a_secret(namespace, was, name)).raise_for_status()
    for type_ in TYPES:
        changed = operator.ask("PATCH", path, json={"type": type_, **json.loads(RELABEL)}, params=dry, headers=MERGE)
        assert changed.is_success == (type_ == was and may_be_written(namespace, name, was)), changed.text
    deleted = operator.ask("DELETE", path, params=dry)
    assert deleted.is_success == may_be_written(namespace, name, was), deleted.text
    admin.ask("DELETE", path).raise_for_status()


def test_it_cannot_turn_its_signing_keys_into_a_token(without_programs: tuple[Objects, Objects]) -> None:
    """Which the control plane would fill in with a token of the ServiceAccount that the Secret names."""
    admin, operator = without_programs
    collection = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    operator.ask("POST", collection, content=a_secret(NAMESPACE, KEYS, NAMES[0])).raise_for_status()
    operator.ask("DELETE", f"{collection}/{NAMES[0]}").raise_for_status()
    refused = operator.ask("POST", collection, content=a_secret(NAMESPACE, TOKEN, NAMES[0]))
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert KEYS in refused.text
    assert admin.find("Secret", NAMES[0], NAMESPACE) is None


def test_others_are_not_concerned(cluster: ControlPlane, tenant: Tenant) -> None:
    """The policy is about one ServiceAccount."""
    cluster.kubectl("create", "--filename=-", input=a_secret(tenant.namespace, "Opaque"))
