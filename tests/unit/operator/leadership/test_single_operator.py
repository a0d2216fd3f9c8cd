"""Single operator: whose Lease keeps this operator from leading (decision 35)."""

import json
from typing import Any

from agent_operator.leadership.single_operator import LEASES, OtherOperators
from tests.support.lease_cluster import HOME, NAME, LeaseCluster, account


def others(cluster: LeaseCluster) -> OtherOperators:
    """Look for other operators from HOME."""
    kube: Any = cluster
    return OtherOperators(kube, HOME, NAME)


async def test_single_operator_yields_to_an_older_one() -> None:
    """The sentence names the namespace of the other one."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account("elsewhere")})
    await cluster.add_lease("elsewhere")
    sentence = await others(cluster).ahead_of(None)
    assert sentence
    assert "the operator of namespace 'elsewhere'" in sentence


async def test_single_operator_ignores_the_lease_of_a_tenant() -> None:
    """A ServiceAccount without the rights of an operator does not count, nor one of another namespace than its Lease."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account(HOME)})
    await cluster.add_lease("tenant")
    await cluster.add_lease("other-tenant", user=account(HOME))
    assert await others(cluster).ahead_of(None) is None


async def test_single_operator_ignores_its_own_lease() -> None:
    """The Lease of its own namespace is for its own replicas."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account(HOME)})
    await cluster.add_lease(HOME)
    assert await others(cluster).ahead_of(None) is None


async def test_single_operator_knows_its_own_name() -> None:
    """The API server says it (SelfSubjectReview)."""
    assert await others(LeaseCluster()).username() == account(HOME)


A_LEASE = {
    "metadata": {"name": "agentidp-operator", "namespace": "agentidp-system", "resourceVersion": "7"},
    "spec": {
        "holderIdentity": "operator-1",
        "leaseDurationSeconds": 10,
        "acquireTime": "2026-03-01T12:00:00.000000Z",
        "renewTime": "2026-03-01T12:00:02.000000Z",
        "leaseTransitions": 3,
    },
}


def test_lease_reads_and_writes_its_fields() -> None:
    """coordination.k8s.io/v1, LeaseSpec."""
    lease = LEASES.decode(json.dumps(A_LEASE).encode())
    assert (lease.spec.holder_identity, lease.spec.lease_transitions) == ("operator-1", 3)
    assert LEASES.encode(lease)["spec"] == A_LEASE["spec"]


def test_lease_path_is_of_its_namespace() -> None:
    """The Lease is a namespaced object."""
    path = "/apis/coordination.k8s.io/v1/namespaces/agentidp-system/leases/agentidp-operator"
    assert LEASES.path("agentidp-system", "agentidp-operator") == path
