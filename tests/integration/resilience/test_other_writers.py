"""Others write what the operator writes: its writes meet conflicts (409), or its status is not what it has written.

It observes again and decides again, so nothing is done twice and nothing is left undone.
"""

import time
from collections.abc import Callable

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.crd_schema import Manifest
from tests.support.histories import History, values
from tests.support.objects import path_of
from tests.support.rotations import now, request_rotations, until_rotated
from tests.support.storms import Storm, Write
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_refused, is_served

ROTATIONS = 2
AUDITED = "Audited"
APPLY = {"Content-Type": "application/apply-patch+yaml"}

Tell = Callable[[str], None]


def annotate(kind: str, tenant: Tenant) -> Write:
    """A tool that counts in an annotation."""
    return lambda objects, number: objects.change(
        kind, NAME, {"metadata": {"annotations": {"tool.example/count": str(number)}}}, tenant.namespace
    )


def condition(tenant: Tenant) -> Write:
    """A controller that has a condition of its own in the status."""
    params = {"fieldManager": "auditor", "force": "true"}
    path = path_of("AgentCredential", tenant.namespace, NAME) + "/status"
    return lambda objects, number: objects.ask(
        "PATCH", path, params=params, headers=APPLY, json=audited(number)
    ).raise_for_status()


def audited(number: int) -> Manifest:
    """The status that it applies."""
    told = {"type": AUDITED, "status": "True", "reason": f"Round{number}", "message": "", "lastTransitionTime": now()}
    resource = {"apiVersion": "idp.sentryagent.ai/v1alpha1", "kind": "AgentCredential", "metadata": {"name": NAME}}
    return resource | {"status": {"conditions": [told]}}


STORMS: dict[str, Callable[[Tenant], Write]] = {
    "its metadata": lambda tenant: annotate("AgentCredential", tenant),
    "its status": condition,
    "its Secret": lambda tenant: annotate("Secret", tenant),
}


@pytest.mark.parametrize("what", STORMS)
def test_a_rotation_gets_through_a_storm_of_writes(
    what: str, tenant: Tenant, cluster: ControlPlane, programs: Programs, tell: Tell
) -> None:
    """Once for each request; what others have written stays, and nobody is warned of anything."""
    before = tenant.issue()
    began = time.monotonic()
    with History(cluster.kubeconfig, tenant.namespace) as history, Storm(cluster.kubeconfig, STORMS[what](tenant)) as storm:
        for _ in range(ROTATIONS):
            request_rotations(tenant)
            until_rotated(tenant)
    tell(f"{ROTATIONS} rotations in {time.monotonic() - began:.1f} s, during {storm.writes} writes of others to {what}")
    assert len(values(history.of(NAME))) == 1 + ROTATIONS
    eventually("the new secret is served", lambda: is_served(tenant.pair()))
    eventually("the old one is refused", lambda: is_refused(before))
    assert "Warning" not in shown(cluster, tenant)
    if what == "its status":
        assert condition_of(tenant.get("AgentCredential"), AUDITED)


def test_an_old_status_that_is_put_back_does_not_bring_back_an_old_secret(
    tenant: Tenant, cluster: ControlPlane, programs: Programs
) -> None:
    """As a restored backup does: the present value is not accepted by it, so there is a new one. `kubectl describe` tells."""
    first = tenant.issue()
    old = tenant.get("AgentCredential")["status"]
    request_rotations(tenant)
    until_rotated(tenant)
    second = tenant.pair()
    put_status(tenant, old)
    third = tenant.another_pair(second)
    eventually("the newest secret is served", lambda: is_served(third))
    eventually("the others are refused", lambda: is_refused(first) and is_refused(second))
    assert third.client_id == first.client_id
    eventually("a warning is told", lambda: "held a value that is not accepted" in shown(cluster, tenant))


def test_a_status_that_is_erased_is_made_anew(tenant: Tenant, programs: Programs) -> None:
    """With another secret under the same client id."""
    before = tenant.issue()
    put_status(tenant, {})
    after: Pair = tenant.another_pair(before)
    eventually("the new secret is served", lambda: is_served(after))
    eventually("the old one is refused", lambda: is_refused(before))
    assert after.client_id == before.client_id


def put_status(tenant: Tenant, status: Manifest) -> None:
    """In place of what is there."""
    path = path_of("AgentCredential", tenant.namespace, NAME) + "/status"
    changes = [{"op": "replace", "path": "/status", "value": status}]
    headers = {"Content-Type": "application/json-patch+json"}
    tenant.objects.ask("PATCH", path, json=changes, headers=headers).raise_for_status()


def shown(cluster: ControlPlane, tenant: Tenant) -> str:
    """By `kubectl describe`."""
    return cluster.kubectl("describe", "agcred", NAME, f"--namespace={tenant.namespace}").stdout
