"""The kind Lease: decoded as the API server writes it."""

import json

from agent_operator.leadership.leases import LEASES

LEASE = {
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
    lease = LEASES.decode(json.dumps(LEASE).encode())
    assert (lease.spec.holder_identity, lease.spec.lease_transitions) == ("operator-1", 3)
    assert LEASES.encode(lease)["spec"] == LEASE["spec"]


def test_lease_path_is_of_its_namespace() -> None:
    """The Lease is a namespaced object."""
    path = "/apis/coordination.k8s.io/v1/namespaces/agentidp-system/leases/agentidp-operator"
    assert LEASES.path("agentidp-system", "agentidp-operator") == path
