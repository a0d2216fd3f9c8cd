"""What people may do whom the cluster gave its own roles view, edit and admin in a namespace."""

import pytest

from devcluster.cluster import ControlPlane
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

READ = {"get", "list", "watch"}
WRITE = {"create", "update", "patch", "delete", "deletecollection"}
MAY = {
    "view": {"agents": READ, "agentcredentials": READ, "tokenrevocations": READ},
    "edit": {"agents": READ | WRITE, "agentcredentials": READ | WRITE, "tokenrevocations": READ},
    "admin": {"agents": READ | WRITE, "agentcredentials": READ | WRITE, "tokenrevocations": READ | {"create", "delete"}},
}
"""In a namespace; all that is not here is refused."""

KINDS = ("agents", "agentcredentials", "tokenrevocations", "organizations")
VERBS = (*sorted(READ | WRITE), "claim")


@pytest.mark.parametrize("role", MAY)
def test_a_role_gives_this_and_nothing_else(role: str, cluster: ControlPlane, objects: Objects, tenant: Tenant) -> None:
    """Nobody may write a status, declare an agent's id, or change organizations."""
    give(cluster, role, tenant.namespace)
    expected = {(kind, verb) for kind, verbs in MAY[role].items() for verb in verbs} | {
        ("organizations", verb) for verb in READ
    }
    eventually(f"{role} is given just that", lambda: allowed(objects, role, tenant.namespace), lambda seen: seen == expected)


def give(cluster: ControlPlane, role: str, namespace: str) -> None:
    """In this namespace, to a user who is called as the role."""
    cluster.kubectl("create", "rolebinding", role, f"--namespace={namespace}", f"--clusterrole={role}", f"--user={role}")


def allowed(objects: Objects, user: str, namespace: str) -> set[tuple[str, str]]:
    """All that a user may do with our kinds there, as the API server reviews it."""
    return {
        (kind, verb)
        for kind in (*KINDS, *(f"{one}/status" for one in KINDS))
        for verb in VERBS
        if review(objects, user, namespace, kind, verb)
    }


def review(objects: Objects, user: str, namespace: str, kind: str, verb: str) -> bool:
    """The answer to one question."""
    resource, _, subresource = kind.partition("/")
    attributes = {"group": "idp.sentryagent.ai", "resource": resource, "subresource": subresource, "verb": verb}
    spec = {"user": user, "resourceAttributes": attributes | {"namespace": namespace}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = objects.ask("POST", path, json={"spec": spec}).raise_for_status().json()
    return bool(answer["status"]["allowed"])
