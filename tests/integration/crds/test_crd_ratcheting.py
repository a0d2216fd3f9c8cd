"""What a release before accepted stays valid: whoever has declared it may change other fields (decision 44).

The API server validates what is stored anew with each change. The older CRD is this one without the rules that are new, in a
group of its own; an object is stored under it, then the CRD is replaced by today's.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from devcluster.cluster import ControlPlane
from tests.support.crd_schema import Manifest, crds
from tests.support.manifests import BCRYPT, a_credential
from tests.support.objects import Objects
from tests.support.waiting import eventually

GROUP = "earlier.example"
BASE = f"/apis/{GROUP}/v1alpha1/namespaces/default/agentcredentials"
MERGE = {"Content-Type": "application/merge-patch+json"}

DECLARED_BEFORE: dict[str, Manifest] = {
    "a schedule beside a provided hash": {"rotation": {"every": "24h"}, "secretHash": {"hash": BCRYPT}},
    "a bound of the overlap without WhenUnused": {"rotation": {"overlap": "1h", "maxOverlap": "2h"}},
}


def crd(*, earlier: bool) -> Manifest:
    """AgentCredential in a group of its own, as it is or as it was."""
    one = copy.deepcopy(crds()["AgentCredential"])
    one["metadata"] = {"name": f"agentcredentials.{GROUP}"}
    one["spec"]["group"] = GROUP
    one["spec"]["names"] |= {"shortNames": ["earlier"], "categories": []}
    return without_ratcheting_rules(one) if earlier else one


def without_ratcheting_rules(part: Any) -> Any:
    """The same without the rules that look at what was there before and may be absent."""
    if isinstance(part, list):
        return [without_ratcheting_rules(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: without_ratcheting_rules(value) for key, value in part.items()}
    if rules := kept.get("x-kubernetes-validations"):
        kept["x-kubernetes-validations"] = [rule for rule in rules if not rule.get("optionalOldSelf")]
        if not kept["x-kubernetes-validations"]:
            del kept["x-kubernetes-validations"]
    return kept


@pytest.fixture(scope="module")
def stored(cluster: ControlPlane, objects: Objects) -> Iterator[dict[str, str]]:
    """Objects that were stored under the earlier CRD, by what they declare; now the CRD is today's."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = f"agentcredentials.{GROUP}"
    answer = objects.ask("POST", definitions, json=crd(earlier=True))
    assert answer.is_success, answer.text
    eventually("it is served", lambda: objects.ask("GET", BASE).is_success)
    names = {}
    for number, (what, spec) in enumerate(DECLARED_BEFORE.items()):
        manifest = declared(f"one-{number}", spec)
        eventually("it is stored", lambda: objects.ask("POST", BASE, json=manifest).status_code in {201, 409})  # noqa: B023
        names[what] = f"one-{number}"
    patch = {"spec": {"versions": crd(earlier=False)["spec"]["versions"]}}
    answer = objects.ask("PATCH", f"{definitions}/{name}", json=patch, headers=MERGE)
    assert answer.is_success, answer.text
    refused = declared("new", DECLARED_BEFORE["a schedule beside a provided hash"])
    eventually("the rules are in force", lambda: objects.ask("POST", f"{BASE}?dryRun=All", json=refused).status_code == 422)
    yield names
    objects.ask("DELETE", f"{definitions}/{name}")


def declared(name: str, spec: Manifest) -> Manifest:
    """A credential of the group of these tests."""
    manifest = a_credential(**spec)
    return manifest | {"apiVersion": f"{GROUP}/v1alpha1", "metadata": {"name": name}}


@pytest.mark.parametrize("what", DECLARED_BEFORE)
def test_crd_ratcheting_lets_other_fields_change(what: str, stored: dict[str, str], objects: Objects) -> None:
    """A label, and another field of the same spec."""
    path = f"{BASE}/{stored[what]}"
    for patch in ({"metadata": {"labels": {"a": "b"}}}, {"spec": {"expiresAt": "2090-01-01T00:00:00Z"}}):
        answer = objects.ask("PATCH", path, json=patch, headers=MERGE)
        assert answer.is_success, answer.text


@pytest.mark.parametrize("what", DECLARED_BEFORE)
def test_crd_ratcheting_refuses_the_same_of_a_new_object(what: str, stored: dict[str, str], objects: Objects) -> None:
    """Nobody declares it anew, and the message says that it has no effect."""
    assert stored
    answer = objects.ask("POST", f"{BASE}?dryRun=All", json=declared("new", DECLARED_BEFORE[what]))
    assert answer.status_code == 422
    assert "effect with" in answer.json()["message"]
