"""What others set on the objects that the operator writes: it stays, whatever the operator writes (decision 43).

The matrix is each field that others may set on a credential's Secret, times each write of the operator.
"""

import base64
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NamedTuple, cast

import pytest

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Leadership
from agent_operator.reconcilers.signing_keys import SigningKeysReconciler
from agent_operator.work_queue import WorkQueue
from agentidp.domain.resources import NamespacedName
from agentidp.domain.secrets.secret_delivery import FIELD_MANAGER
from agentidp.domain.tokens.signing_keys import Algorithm, KeyPolicy
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Invalid
from agentidp.kube.events import EventRecorder
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import BCRYPT
from tests.support.objects import Objects, path_of
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import NAME, Tenant, condition_of, told
from tests.support.waiting import eventually
from tests.support.workload import value_in

pytestmark = pytest.mark.usefixtures("operator")

FINALIZER = "backup.example/hold"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
APPLY = {"Content-Type": "application/apply-patch+yaml"}
DECLARED = {"labels": {"team": "talent"}, "annotations": {"mirror.example/to": "staging"}}


class Field(NamedTuple):
    """What somebody else sets on a Secret, and whether a Secret has it."""

    put: Callable[[Tenant], object]
    is_there: Callable[[Manifest], bool]


class Write(NamedTuple):
    """Something that makes the operator write the Secret, and how to see in the Secret that it did."""

    cause: Callable[[Tenant], object]
    is_done: Callable[[Manifest, Manifest], bool]
    """Whether it was written: the Secret before, and now."""


@pytest.fixture
def tenant(tenant: Tenant) -> Iterator[Tenant]:
    """A tenant whose namespace can go afterwards."""
    yield tenant
    for secret in tenant.objects.list("Secret", tenant.namespace):
        if secret["metadata"].get("finalizers"):
            tenant.objects.change("Secret", secret["metadata"]["name"], {"metadata": {"finalizers": None}}, tenant.namespace)


def edit(tenant: Tenant, **changes: Any) -> Manifest:
    """Change the Secret, as anybody who may write it can."""
    return tenant.objects.change("Secret", NAME, changes, tenant.namespace)


def an_owner(tenant: Tenant, **fields: Any) -> Manifest:
    """A ConfigMap that is there, as an owner."""
    name = "owner"
    there = tenant.find("ConfigMap", name) or tenant.objects.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}, tenant.namespace
    )
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": there["metadata"]["uid"], **fields}


def owners_of(secret: Manifest) -> dict[str, Manifest]:
    """The owner references by kind."""
    return {owner["kind"]: owner for owner in secret["metadata"].get("ownerReferences", ())}


def take_control(tenant: Tenant) -> None:
    """Another controller makes itself the Secret's: of all owners one may be."""
    ours = owners_of(tenant.get("Secret"))["AgentCredential"]
    ours.pop("controller")
    edit(tenant, metadata={"ownerReferences": [ours, an_owner(tenant, controller=True)]})


def add_owner(tenant: Tenant) -> None:
    """One more owner, which holds up its deletion until the Secret is gone."""
    ours = owners_of(tenant.get("Secret"))["AgentCredential"]
    edit(tenant, metadata={"ownerReferences": [ours, an_owner(tenant, blockOwnerDeletion=True)]})


def has_controller(secret: Manifest) -> bool:
    """The foreign controller, and ours beside it without being one."""
    owners = owners_of(secret)
    return owners["ConfigMap"].get("controller") is True and "controller" not in owners["AgentCredential"]


def apply(tenant: Tenant, manager: str, metadata: Manifest) -> None:
    """Server-side apply, as GitOps tools do."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME, **metadata}}
    params = {"fieldManager": manager, "force": "true"}
    path = path_of("Secret", tenant.namespace, NAME)
    tenant.objects.ask("PATCH", path, params=params, headers=APPLY, json=body).raise_for_status()


FIELDS = {
    "a label": Field(
        lambda tenant: edit(tenant, metadata={"labels": {"velero.io/backup": "daily"}}),
        lambda secret: secret["metadata"]["labels"].get("velero.io/backup") == "daily",
    ),
    "a label of server-side apply": Field(
        lambda tenant: apply(tenant, "argocd-controller", {"labels": {"argo.example/app": "demo"}}),
        lambda secret: secret["metadata"]["labels"].get("argo.example/app") == "demo",
    ),
    "an annotation": Field(
        lambda tenant: edit(tenant, metadata={"annotations": {"reloader.example/seen": "1"}}),
        lambda secret: secret["metadata"]["annotations"].get("reloader.example/seen") == "1",
    ),
    "what kubectl apply keeps": Field(
        lambda tenant: edit(tenant, metadata={"annotations": {LAST_APPLIED: "{}\n"}}),
        lambda secret: secret["metadata"]["annotations"].get(LAST_APPLIED) == "{}\n",
    ),
    "a finalizer": Field(
        lambda tenant: edit(tenant, metadata={"finalizers": [FINALIZER]}),
        lambda secret: secret["metadata"].get("finalizers") == [FINALIZER],
    ),
    "an owner": Field(add_owner, lambda secret: owners_of(secret)["ConfigMap"].get("blockOwnerDeletion") is True),
    "a controller": Field(take_control, has_controller),
    "that it is immutable": Field(lambda tenant: edit(tenant, immutable=True), lambda secret: secret.get("immutable") is True),
}


def disown(tenant: Tenant) -> None:
    """Our owner reference is taken away."""
    others = [owner for kind, owner in owners_of(tenant.get("Secret")).items() if kind != "AgentCredential"]
    edit(tenant, metadata={"ownerReferences": others})


WRITES = {
    "a rotation": Write(request_rotations, lambda before, now: pair_of(before) != pair_of(now)),
    "other keys": Write(
        lambda tenant: tenant.change("AgentCredential", secret={"keys": {"clientSecret": "password"}}),
        lambda before, now: (
            value_in(now, "password") == value_in(before, "client_secret") if "password" in now["data"] else False
        ),
    ),
    "a label that is declared": Write(
        lambda tenant: tenant.change("AgentCredential", secret={"labels": {"tier": "gold"}}),
        lambda _, now: now["metadata"]["labels"].get("tier") == "gold",
    ),
    "a label and an annotation that are not declared any more": Write(
        lambda tenant: tenant.change("AgentCredential", secret={"labels": None, "annotations": None}),
        lambda _, now: not has_declared(now),
    ),
    "a repair of its label": Write(
        lambda tenant: edit(tenant, metadata={"labels": {"app.kubernetes.io/managed-by": "somebody"}}),
        lambda _, now: now["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "agentidp",
    ),
    "an adoption": Write(disown, lambda _, now: "AgentCredential" in owners_of(now)),
}


def pair_of(secret: Manifest) -> str:
    """The client secret."""
    return value_in(secret, "client_secret")


def has_declared(secret: Manifest) -> bool:
    """Any of what was declared at first."""
    meta = secret["metadata"]
    return bool(
        DECLARED["labels"].items() & meta["labels"].items() or DECLARED["annotations"].items() & meta["annotations"].items()
    )


def replaces(field: str, write: str) -> bool:
    """Data of an immutable Secret change by a new Secret alone."""
    return field == "that it is immutable" and write in {"a rotation", "other keys"}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_others_outlives_a_write_of_the_operator(field: str, write: str, tenant: Tenant) -> None:
    """Decision 43: a write names what is ours, and the Secret stays the same object. An immutable one is made anew."""
    tenant.issue(secret=DECLARED)
    FIELDS[field].put(tenant)
    before = settled(tenant)
    WRITES[write].cause(tenant)
    after = eventually("it is written", lambda: tenant.find("Secret"), lambda now: now and WRITES[write].is_done(before, now))
    assert after
    after = settled(tenant)
    assert WRITES[write].is_done(before, after)
    assert FIELDS[field].is_there(after)
    assert after["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "agentidp"
    assert (after["metadata"]["uid"] == before["metadata"]["uid"]) != replaces(field, write)
    assert told(tenant.get("AgentCredential")) == "Issued"


def settled(tenant: Tenant) -> Manifest:
    """The Secret when the credential says that it is as declared."""
    eventually(
        "it is delivered",
        lambda: tenant.get("AgentCredential"),
        lambda seen: told(seen, "SecretDelivered") == "SecretDelivered",
    )
    return tenant.get("Secret")


def test_what_others_have_put_on_an_immutable_secret_is_carried_over(tenant: Tenant) -> None:
    """All at once, through two rotations; and it stays theirs: the operator does not remove what it has only carried over."""
    tenant.issue(secret=DECLARED)
    carried = ["a label", "an annotation", "a label of server-side apply", "a controller", "that it is immutable"]
    for field in carried:
        FIELDS[field].put(tenant)
    for _ in range(2):
        before = settled(tenant)
        request_rotations(tenant)
        until_rotated(tenant)
        after = settled(tenant)
        assert after["metadata"]["uid"] != before["metadata"]["uid"]
    tenant.change("AgentCredential", secret={"labels": None, "annotations": None})
    eventually("what is not declared any more is gone", lambda: not has_declared(tenant.get("Secret")))
    assert [field for field in carried if not FIELDS[field].is_there(settled(tenant))] == []


def test_an_immutable_secret_with_a_finalizer_waits_for_it_and_says_so(tenant: Tenant) -> None:
    """Only its owner removes a finalizer. The secret that is in the Secret works meanwhile."""
    tenant.issue()
    edit(tenant, metadata={"finalizers": [FINALIZER]}, immutable=True)
    before = settled(tenant)
    request_rotations(tenant)
    refusal = eventually(
        "the refusal is told",
        lambda: condition_of(tenant.get("AgentCredential"), "SecretDelivered"),
        lambda seen: seen and seen["reason"] == "Refused",
    )
    assert refusal
    assert FINALIZER in refusal["message"]
    waiting = tenant.get("Secret")
    assert waiting["metadata"]["deletionTimestamp"]
    assert FIELDS["a finalizer"].is_there(waiting)
    hints = [one["hint"] for one in tenant.get("AgentCredential")["status"]["secretHashes"]]
    assert len(hints) == 2, "the value that the Secret holds is accepted still"
    edit(tenant, metadata={"finalizers": None})
    eventually("there is another value", lambda: tenant.find("Secret"), lambda now: now and pair_of(now) != pair_of(before), 90)


REMOVALS = {
    "a hash in its place": lambda tenant: tenant.change("AgentCredential", secretHash={"hash": BCRYPT}),
    "another name": lambda tenant: tenant.change("AgentCredential", secret={"name": "elsewhere"}),
    "a revocation": lambda tenant: tenant.change("AgentCredential", state="Revoked"),
}


@pytest.mark.parametrize("removal", REMOVALS)
def test_a_secret_that_is_removed_waits_for_the_finalizers_of_others(removal: str, tenant: Tenant) -> None:
    """It is deleted, which tells their owner; the credential goes on to be bound to it until it is gone."""
    tenant.issue()
    edit(tenant, metadata={"finalizers": [FINALIZER]})
    REMOVALS[removal](tenant)
    secret = eventually("it is deleted", lambda: tenant.get("Secret"), lambda now: "deletionTimestamp" in now["metadata"])
    assert FIELDS["a finalizer"].is_there(secret)
    assert tenant.get("AgentCredential")["status"]["binding"] == {"name": NAME}
    edit(tenant, metadata={"finalizers": None})
    eventually("it is gone", lambda: tenant.find("Secret") is None)
    bound = None if removal != "another name" else {"name": "elsewhere"}
    eventually("and that is recorded", lambda: tenant.get("AgentCredential")["status"].get("binding") == bound)


FORMER = "agentidp-operator"


@pytest.mark.parametrize(("manager", "goes"), [(FORMER, True), ("kubectl-edit", False)])
def test_what_an_earlier_operator_wrote_and_is_not_declared_goes(manager: str, goes: bool, tenant: Tenant) -> None:
    """It replaced Secrets as a whole, by the same field manager. What another manager wrote so is another's."""
    tenant.issue()
    secret = tenant.get("Secret")
    secret["metadata"]["labels"] |= {"team": "talent"}
    secret["metadata"]["annotations"] |= {"mirror.example/to": "staging"}
    path = path_of("Secret", tenant.namespace, NAME)
    tenant.objects.ask("PUT", path, params={"fieldManager": manager}, json=secret).raise_for_status()
    if goes:
        eventually("it is gone", lambda: not has_declared(tenant.get("Secret")))
    request_rotations(tenant)
    until_rotated(tenant)
    assert has_declared(tenant.get("Secret")) != goes


def test_a_label_that_another_manager_applies_as_well_stays(tenant: Tenant) -> None:
    """Kubernetes' rule for shared fields: each manager takes back its own claim only."""
    tenant.issue(secret=DECLARED)
    apply(tenant, "argocd-controller", {"labels": DECLARED["labels"]})
    tenant.change("AgentCredential", secret={"labels": None, "annotations": None})
    eventually("ours is gone", lambda: "mirror.example/to" not in tenant.get("Secret")["metadata"]["annotations"])
    assert settled(tenant)["metadata"]["labels"]["team"] == "talent"


def a_copy(secret: Manifest, name: str, **metadata: Any) -> Manifest:
    """As `kubectl get --output=json` gives it, with another name and what belongs to one object alone left out."""
    kept = {part: secret["metadata"][part] for part in ("labels", "annotations")}
    return {**secret, "metadata": {"name": name, **kept, **metadata}}


@pytest.mark.parametrize("end", ["it rotates", "it is revoked"])
def test_a_copy_of_the_secret_stays(end: str, tenant: Tenant) -> None:
    """Whoever made it removes it. An annotation is copied with it and proves nothing; nobody is told that it was removed."""
    tenant.issue()
    copy = tenant.objects.create(a_copy(tenant.get("Secret"), "copy"), tenant.namespace)
    if end == "it rotates":
        request_rotations(tenant)
        until_rotated(tenant)
    else:
        tenant.change("AgentCredential", state="Revoked")
        eventually("the Secret is gone", lambda: tenant.find("Secret") is None)
    assert tenant.find("Secret", "copy") == copy
    notes = [event["note"] for event in tenant.objects.list("Event", tenant.namespace)]
    assert not [note for note in notes if "'copy'" in note]


def test_a_copy_under_the_declared_name_is_not_taken_over(tenant: Tenant) -> None:
    """It was there first, and is somebody's."""
    tenant.issue()
    copy = tenant.objects.create(a_copy(tenant.get("Secret"), "mine"), tenant.namespace)
    tenant.change("AgentCredential", secret={"name": "mine"})
    tenant.until("AgentCredential", "SecretNotOwned")
    assert tenant.find("Secret", "mine") == copy


def test_a_secret_that_strayed_is_removed_and_the_event_says_where_the_pair_is(tenant: Tenant) -> None:
    """It has an owner reference of ours, so it is ours; its value is accepted, so no event says that it is not."""
    tenant.issue()
    secret = tenant.get("Secret")
    tenant.objects.create(a_copy(secret, "stray", ownerReferences=secret["metadata"]["ownerReferences"]), tenant.namespace)
    eventually("it is gone", lambda: tenant.find("Secret", "stray") is None)
    wanted = f"Removed Secret 'stray': the pair is in Secret '{NAME}'."
    eventually(
        "an event says why",
        lambda: [one["note"] for one in tenant.objects.list("Event", tenant.namespace)],
        lambda notes: wanted in notes,
    )


KEYS = "keys"


@pytest.fixture
async def make_key(cluster: ControlPlane, tenant: Tenant) -> AsyncIterator[Callable[[Algorithm], Awaitable[object]]]:
    """Has the operator's reconciler make a signing key in a Secret of the tenant: one of another algorithm is due at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "KUBECONFIG", str(cluster.kubeconfig))
        connected = await KubeClient.connect(FIELD_MANAGER)
    leadership, nobody = Leadership(), cast("EventRecorder", None)
    leadership.trust(time.monotonic())
    writes = FencedWriter(connected, ClusterCache(WorkQueue()), leadership, nobody)
    name = NamespacedName(tenant.namespace, KEYS)
    yield lambda algorithm: SigningKeysReconciler(connected, writes, KeyPolicy(algorithm)).reconcile(name)
    await connected.close()


def keys_in(secret: Manifest) -> list[str]:
    """The algorithms of the signing keys."""
    return [key["algorithm"] for key in json.loads(value_in(secret, "keys.json"))["keys"]]


async def test_what_others_put_on_the_signing_keys_stays(
    make_key: Callable[[Algorithm], Awaitable[object]], tenant: Tenant
) -> None:
    """A new key changes the keys and nothing else."""
    await make_key(Algorithm.ES256)
    meta: Manifest = {"finalizers": [FINALIZER], "labels": {"a.example/b": "c"}, "ownerReferences": [an_owner(tenant)]}
    more = base64.b64encode(b"theirs").decode()
    tenant.objects.change("Secret", KEYS, {"metadata": meta, "data": {"more": more}}, tenant.namespace)
    await make_key(Algorithm.RS256)
    secret = tenant.get("Secret", KEYS)
    assert keys_in(secret) == ["ES256", "RS256"]
    assert secret["metadata"]["finalizers"] == meta["finalizers"]
    assert secret["metadata"]["labels"].items() >= meta["labels"].items()
    assert secret["metadata"]["ownerReferences"] == meta["ownerReferences"]
    assert secret["data"]["more"] == more


async def test_immutable_signing_keys_are_kept_and_the_way_out_is_said(
    make_key: Callable[[Algorithm], Awaitable[object]], tenant: Tenant
) -> None:
    """Decision 43: a crash between a deletion and a creation would end all tokens."""
    await make_key(Algorithm.ES256)
    before = tenant.objects.change("Secret", KEYS, {"immutable": True}, tenant.namespace)
    with pytest.raises(Invalid, match="kubectl replace --force"):
        await make_key(Algorithm.RS256)
    assert tenant.get("Secret", KEYS) == before


def test_what_others_put_on_the_operators_lease_stays(operator: Programs, objects: Objects) -> None:
    """The Lease is renewed every two seconds; a renewal changes what leader election writes, and nothing else."""
    meta: Manifest = {"finalizers": [FINALIZER], "labels": {"a.example/b": "c"}, "annotations": {"d.example/e": "f"}}
    try:
        changed = objects.change("Lease", OPERATOR.name, {"metadata": meta}, NAMESPACE)
        renewed = eventually(
            "it is renewed twice",
            lambda: objects.get("Lease", OPERATOR.name, NAMESPACE),
            lambda now: (
                int(now["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"]) + 1
                and now["spec"]["renewTime"] > changed["spec"]["renewTime"]
            ),
        )
        operator.restart(OPERATOR.name)
        taken = eventually(
            "another process holds it",
            lambda: objects.get("Lease", OPERATOR.name, NAMESPACE),
            lambda now: now["spec"].get("holderIdentity") not in {None, renewed["spec"]["holderIdentity"]},
        )
        for lease in (renewed, taken):
            assert lease["metadata"]["finalizers"] == meta["finalizers"]
            assert lease["metadata"]["labels"].items() >= meta["labels"].items()
            assert lease["metadata"]["annotations"].items() >= meta["annotations"].items()
    finally:
        objects.change("Lease", OPERATOR.name, {"metadata": {"finalizers": None}}, NAMESPACE)
