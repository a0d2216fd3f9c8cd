"""A GitOps controller applies the same manifests every second, while credentials rotate and Secrets are repaired.

It and the operator do not get into each other's way: nothing rotates but what was asked for, no field has two owners, and
nothing that is right changes.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.crd_schema import Manifest
from tests.support.gitops import CLIENT_SIDE, SERVER_SIDE, GitOps
from tests.support.histories import History, Moment, values
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.rotations import now, request_rotations
from tests.support.tenants import NAME, Tenant, condition_of, told
from tests.support.waiting import eventually

BY_COMMIT, BY_HAND = "rotated-by-commit", "rotated-by-hand"
NAMES = (BY_COMMIT, BY_HAND)
KINDS = ("Agent", "AgentCredential", "Secret")
CHANGED_SPECS = 2
NEW_VALUES = 1 + CHANGED_SPECS + 2  # at first, by each rotation, when the Secret was removed, and when it was edited
EDITED = {"client_secret": "c2tfbGl2ZV9lZGl0ZWQ="}

Act = Callable[[Tenant, GitOps], object]


class Story(NamedTuple):
    """What became of the credentials, what `kubectl apply` said, and all objects twice: at rest, and applied again."""

    histories: dict[str, list[Moment]]
    gitops: GitOps
    at_rest: list[Manifest]
    applied_again: list[Manifest]


@pytest.fixture(scope="module", params=[SERVER_SIDE, CLIENT_SIDE], ids=["server-side", "client-side"])
def story(request: pytest.FixtureRequest, cluster: ControlPlane, objects: Objects, operator: Programs) -> Story:
    """Two credentials are in Git: one is rotated by commits, the other by hand; both Secrets are damaged."""
    tenant = Tenant.new(objects)
    gitops = GitOps(cluster.access.kubectl, tenant.namespace, request.param)
    with History(cluster.kubeconfig, tenant.namespace) as history, gitops:
        gitops.commit(*in_git())
        for name in NAMES:
            tenant.until("AgentCredential", "Issued", name)
        for act in (rotate, rotate, remove_secrets, edit_secrets):
            delivers_new_values(tenant, gitops, act)
        damage_metadata(tenant)
        eventually("it is repaired", lambda: all(is_labelled(tenant, name) for name in NAMES))
        gitops.goes_on()
        at_rest = everything(tenant)
        gitops.goes_on()
        applied_again = everything(tenant)
    return Story({name: history.of(name) for name in NAMES}, gitops, at_rest, applied_again)


def test_it_never_fails(story: Story, tell: Callable[[str], None]) -> None:
    """No conflict, and nothing to warn of."""
    tell(f"applied {len(story.gitops.done)} times: {sum(one.returncode != 0 for one in story.gitops.done)} failed")
    assert {(one.returncode, one.stderr) for one in story.gitops.done} == {(0, "")}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_rotates_but_what_was_asked_for(name: str, story: Story) -> None:
    """As many values as there were reasons for; each is a new one."""
    ours = [value for value in values(story.histories[name]) if value != b"sk_live_edited"]
    assert len(ours) == len(set(ours)) == NEW_VALUES


@pytest.mark.parametrize("name", NAMES)
def test_its_specs_change_only_with_git_or_by_hand(name: str, story: Story) -> None:
    """To apply what is there already is no new generation."""
    generations = {moment.credential["metadata"]["generation"] for moment in story.histories[name]}
    assert generations == set(range(1, 2 + CHANGED_SPECS))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_ready_from_the_first_secret_on(name: str, story: Story) -> None:
    """A rotation leaves it ready (gitops.md, Health); it is not while its Secret is missing or holds another value."""
    ready = [condition for moment in story.histories[name] if (condition := condition_of(moment.credential))]
    since = next(place for place, condition in enumerate(ready) if condition["status"] == "True")
    reasons = {condition["reason"] for condition in ready[since:] if condition["status"] != "True"}
    assert reasons <= {"SecretMissing", "SecretDrifted"}
    assert ready[-1]["status"] == "True"


def test_what_is_at_rest_is_not_written(story: Story) -> None:
    """Neither by the operator nor by what is applied."""
    assert story.applied_again == story.at_rest


def test_each_field_has_one_owner(story: Story) -> None:
    """What is declared is Git's, what has become of it is the operator's."""
    for one in story.at_rest:
        if one["kind"] != "Secret":
            status = {owner["manager"] for owner in one["metadata"]["managedFields"] if "f:status" in owner["fieldsV1"]}
            spec = {owner["manager"] for owner in one["metadata"]["managedFields"] if "f:spec" in owner["fieldsV1"]}
            assert status == {"agentidp-operator"}
            assert "agentidp-operator" not in spec


def delivers_new_values(tenant: Tenant, gitops: GitOps, act: Act) -> None:
    """Each Secret has another value after it, which is accepted and recorded; then everything is applied some more times."""
    before = {name: moment(tenant, name).value for name in NAMES}
    act(tenant, gitops)
    eventually(
        "there are other values", lambda: [moment(tenant, name) for name in NAMES], lambda seen: all(map(is_recorded, seen))
    )
    assert all(moment(tenant, name).value != before[name] for name in NAMES)
    gitops.goes_on()


def rotate(tenant: Tenant, gitops: GitOps) -> None:
    """One by a commit; the other one by somebody who asks for it beside Git, where that says nothing of it."""
    request_rotations(tenant, BY_HAND)
    gitops.commit(*in_git(requestedAt=now()))


def remove_secrets(tenant: Tenant, _: GitOps) -> None:
    """Somebody deletes them."""
    for name in NAMES:
        tenant.remove("Secret", name)


def edit_secrets(tenant: Tenant, _: GitOps) -> None:
    """Somebody puts another value in."""
    for name in NAMES:
        tenant.objects.change("Secret", name, {"data": EDITED}, tenant.namespace)


def damage_metadata(tenant: Tenant) -> None:
    """Somebody takes away the labels and the owner: the same value is kept."""
    for name in NAMES:
        damage = {"metadata": {"labels": None, "ownerReferences": None}}
        tenant.objects.change("Secret", name, damage, tenant.namespace)


def in_git(**rotation: str) -> list[Manifest]:
    """The agent and its credentials; the one that is rotated by commits is declared with this beside."""
    declared = {"agentRef": {"name": NAME}, "secret": {"labels": {"team": "talent"}}}
    overlap = {"overlap": "1h"}
    return [
        a_resource("Agent", name=NAME),
        a_resource("AgentCredential", declared | {"rotation": overlap | rotation}, BY_COMMIT),
        a_resource("AgentCredential", declared | {"rotation": overlap}, BY_HAND),
    ]


def moment(tenant: Tenant, name: str) -> Moment:
    """The credential and its Secret, as they are now."""
    return Moment(tenant.get("AgentCredential", name), tenant.find("Secret", name))


def is_recorded(seen: Moment) -> bool:
    """Whether the delivered value is the one that is in use, and the status says so."""
    status = seen.credential["status"]
    held = seen.held is not None and seen.held == status["secretHashes"][-1]
    return held and status.get("rotatedAt") == seen.hashes[-1]["createdAt"] and told(seen.credential) == "Issued"


def is_labelled(tenant: Tenant, name: str) -> bool:
    """Whether the Secret's labels are as declared."""
    return bool(tenant.get("Secret", name)["metadata"].get("labels", {}).get("team"))


def everything(tenant: Tenant) -> list[Manifest]:
    """All objects, with who owns which field."""
    return [dict(one, kind=kind) for kind in KINDS for one in tenant.objects.list(kind, tenant.namespace)]
