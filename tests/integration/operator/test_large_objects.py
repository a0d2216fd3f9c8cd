"""Objects that a tenant makes as large as the API server takes: neither the operator nor another tenant notices them.

A Secret and a Lease are stored as protobuf and read as JSON, in which `<` has six bytes. So what etcd takes is read as 7.8 MB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import OTHER_ID
from tests.support.objects import Objects, path_of
from tests.support.operator_metrics import leads
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

LARGE = "<" * 1_300_000
LEASE: Manifest = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": OPERATOR.name},
    "spec": {"holderIdentity": LARGE, "leaseDurationSeconds": 10},
}
SECRET: Manifest = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "idp.sentryagent.ai/credential",
    "metadata": {
        "name": "large",
        "ownerReferences": [
            {"apiVersion": "idp.sentryagent.ai/v1alpha1", "kind": "AgentCredential", "name": LARGE, "uid": OTHER_ID}
        ],
    },
}
HOSTILE = pytest.mark.parametrize("hostile", [LEASE, SECRET], ids=["Lease", "Secret"])


@contextmanager
def beside(hostile: Manifest, objects: Objects) -> Iterator[None]:
    """While another tenant has this object, which is larger than a page as it is read."""
    kind, name, namespace = hostile["kind"], hostile["metadata"]["name"], Tenant.new(objects).namespace
    objects.create(hostile, namespace)
    try:
        assert len(objects.ask("GET", path_of(kind, namespace, name)).content) > 6 * len(LARGE)
        yield
    finally:
        objects.remove(kind, name, namespace)


@HOSTILE
def test_an_operator_that_starts_beside_it_leads_and_issues(
    hostile: Manifest, cluster: ControlPlane, objects: Objects, tenant: Tenant, tmp_path: Path
) -> None:
    """Threat model: a Lease called like the operator's does not keep it from leading, nor a Secret others from being served."""
    with beside(hostile, objects), Programs.launch(cluster.access, tmp_path, chosen=[OPERATOR]) as programs:
        eventually("it leads", lambda: leads(programs))
        assert tenant.issue().client_secret


@HOSTILE
def test_an_operator_that_runs_beside_it_issues_and_goes_on_leading(
    hostile: Manifest, operator: Programs, objects: Objects, tenant: Tenant
) -> None:
    """The watch tells of the object, and afterwards of what other tenants write."""
    eventually("it leads", lambda: leads(operator))
    with beside(hostile, objects):
        assert tenant.issue().client_secret
        assert leads(operator)
        assert operator.ended() == []
