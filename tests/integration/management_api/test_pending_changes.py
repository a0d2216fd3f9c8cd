"""What the management API rolls back: what is recorded where only it writes, and nothing that a tenant can write.

A record counts as abandoned when it is older than any request lives. So all of this is written first, and a record that is
rolled back last tells that everything has been looked at.
"""

from collections.abc import Callable
from typing import Any

import pytest

from devcluster.install import NAMESPACE
from devcluster.programs import Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import BCRYPT, OTHER_BCRYPT, OTHER_ID, a_resource
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

H1, H2 = BCRYPT, OTHER_BCRYPT
THIRD = BCRYPT.replace("$10$", "$11$")
FORGED = f'{{"what":"Rotate","requestId":"x","since":"2020-01-01T00:00:00Z","hash":"{H1}","previous":{{"hash":"{H2}"}}}}'

Record = dict[str, Any]
ROTATED: Record = {"operation": "Rotate", "hash": H1, "previous": {"hash": H2, "hint": "0a1b2c3d"}}
GENERATED: Record = {"operation": "Generate", "hash": H1}

IN_FORCE, BACK, REVOKED = ("Active", H1), ("Active", H2), ("Revoked", H1)
RECORDED: dict[str, tuple[Record, tuple[str, str]]] = {
    "a rotation that stands": (ROTATED, BACK),
    "a generation that stands": (GENERATED, REVOKED),
    "a rotation that another process has claimed": (ROTATED | {"state": "RollingBack"}, BACK),
    "a rotation that was never written": (ROTATED | {"hash": THIRD}, IN_FORCE),
    "a generation that was never written": (GENERATED | {"hash": THIRD}, IN_FORCE),
    "a rotation of a credential that had this name before": (ROTATED | {"uid": OTHER_ID}, IN_FORCE),
}
"""What is recorded in the API's own namespace about a credential with the hash H1; and its state and hash afterwards."""
WRITTEN: dict[str, Callable[[Tenant, Manifest], object]] = {
    "an annotation as it was once acted on": lambda tenant, credential: tenant.objects.change(
        "AgentCredential",
        credential["metadata"]["name"],
        {"metadata": {"annotations": {"idp.sentryagent.ai/unconfirmed": FORGED}}},
        tenant.namespace,
    ),
    "a record in a tenant's namespace": lambda tenant, credential: record(
        tenant.objects, tenant.namespace, credential, ROTATED
    ),
}
"""What tenants could write, if they were given every right in their namespace."""


@pytest.fixture(scope="module")
def credentials(all_programs: Programs, objects: Objects) -> tuple[Tenant, dict[str, str]]:
    """The names of one for each row, when all that was recorded has been looked at."""
    tenant = Tenant.new(objects)
    tenant.create("Agent")
    made = {row: declared(tenant, f"row-{number}") for number, row in enumerate((*WRITTEN, *RECORDED))}
    for row, write in WRITTEN.items():
        write(tenant, made[row])
    for row, (spec, _) in RECORDED.items():
        record(objects, NAMESPACE, made[row], spec)
    record(objects, NAMESPACE, {"metadata": {"namespace": tenant.namespace, "name": "gone"}}, GENERATED)
    last = declared(tenant, "last")
    record(objects, NAMESPACE, last, GENERATED)
    eventually("the last one is rolled back", lambda: found(tenant, "last"), lambda seen: seen == REVOKED, within=120)
    eventually("no record is left", lambda: objects.list("PendingChange", NAMESPACE), lambda seen: seen == [], within=60)
    return tenant, {row: one["metadata"]["name"] for row, one in made.items()}


@pytest.mark.parametrize("row", WRITTEN)
def test_rollback_ignores_what_a_tenant_writes(row: str, credentials: tuple[Tenant, dict[str, str]]) -> None:
    """SECURITY.md: no program with rights in every namespace acts on what a tenant could write there."""
    tenant, names = credentials
    assert found(tenant, names[row]) == IN_FORCE


@pytest.mark.parametrize("row", RECORDED)
def test_rollback_of_a_recorded_change_that_is_in_effect(row: str, credentials: tuple[Tenant, dict[str, str]]) -> None:
    """Decision 13; and its record is removed, whatever came of it."""
    tenant, names = credentials
    assert found(tenant, names[row]) == RECORDED[row][1]


def declared(tenant: Tenant, name: str) -> Manifest:
    """A credential with the hash H1."""
    return tenant.create("AgentCredential", name, secretHash={"hash": H1})


def record(objects: Objects, namespace: str, credential: Manifest, spec: Record) -> None:
    """In this namespace."""
    meta = credential["metadata"]
    reference = {"namespace": meta["namespace"], "name": meta["name"]}
    if uid := spec.get("uid", meta.get("uid")):
        reference["uid"] = uid
    told = {key: value for key, value in spec.items() if key != "uid"}
    change = a_resource("PendingChange", told | {"credential": reference, "requestId": "x"}, f"of-{meta['name']}")
    objects.create(change, namespace)


def found(tenant: Tenant, name: str) -> tuple[str, str]:
    """The state and the hash of a credential."""
    spec = tenant.get("AgentCredential", name)["spec"]
    return spec.get("state", "Active"), spec["secretHash"]["hash"]
