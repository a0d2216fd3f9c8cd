"""Upgrade, rollback and uninstallation by Helm, with pods that really come and go."""

import json
from pathlib import Path

from devcluster.chart import RELEASE
from devcluster.install import NAMESPACE
from tests.support.chart import a_later_chart, fields_of_agents
from tests.support.crd_schema import crds
from tests.support.pods import Pods, mounted_at
from tests.support.releases import IMAGE, TIMEOUT, Release
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

LEFT_IN_THE_NAMESPACE = {"secrets/agentidp-signing-keys", "leases.coordination.k8s.io/agentidp-operator"}
"""What the operator made. With the signing keys, a later installation goes on under the same identity."""
IN_EVERY_NAMESPACE = {"configmaps/kube-root-ca.crt", "serviceaccounts/default"}
PASSING = {"events", "events.events.k8s.io"}


def test_an_upgrade_and_a_rollback_change_the_programs_and_the_kinds(
    tenant: Tenant, pods: Pods, release: Release, next_image: str, tmp_path: Path
) -> None:
    """Tokens are given after each of them, and nobody's secret changes."""
    pair = tenant.issue()
    release.install("--set=tokenService.replicas=1", chart=a_later_chart(tmp_path), image=next_image)
    eventually("only pods of the next image are left", release.images, lambda images: images == {next_image})
    assert "newField" in fields_of_agents(pods.kubectl)
    assert gets_a_token(pods, "after-the-upgrade")

    release.helm("rollback", RELEASE, "--wait", f"--timeout={TIMEOUT}")
    eventually("only pods of the image before are left", release.images, lambda images: images == {IMAGE})
    assert "newField" not in fields_of_agents(pods.kubectl)
    assert gets_a_token(pods, "after-the-rollback")
    assert tenant.pair() == pair


def test_an_uninstallation_leaves_what_the_docs_say(tenant: Tenant, pods: Pods, release: Release) -> None:
    """The kinds with all agents and credentials, their Secrets, and what the operator made; installed again, it goes on."""
    pair = tenant.issue()
    release.helm("uninstall", RELEASE, "--wait", f"--timeout={TIMEOUT}")
    eventually("pods end", lambda: left_in_the_namespace(release), lambda left: left == LEFT_IN_THE_NAMESPACE, within=90)
    assert left_in_the_cluster(release) == names_of_crds()
    assert tenant.find("AgentCredential")
    assert tenant.pair() == pair

    release.install()
    assert gets_a_token(pods, "installed-again")
    assert tenant.pair() == pair


def gets_a_token(pods: Pods, name: str) -> bool:
    """Whether a new pod with the Secret gets a token that verifies."""
    return bool(pods.start(name, "/workloads/verifying.py", mounted_at(NAME), secrets=(NAME,)).until_it_ends())


def left_in_the_namespace(release: Release) -> set[str]:
    """All objects of all kinds, written kind/name."""
    return {
        f"{kind}/{found['metadata']['name']}"
        for kind in kinds(release, namespaced=True)
        for found in listed(release, kind)
        if kind not in PASSING
    } - IN_EVERY_NAMESPACE


def left_in_the_cluster(release: Release) -> set[str]:
    """Objects that belong to no namespace, and to the release by what Helm notes on them."""
    return {
        f"{kind}/{found['metadata']['name']}"
        for kind in kinds(release, namespaced=False)
        for found in listed(release, kind)
        if found["metadata"].get("annotations", {}).get("meta.helm.sh/release-namespace") == NAMESPACE
    }


def kinds(release: Release, *, namespaced: bool) -> list[str]:
    """All that can be listed."""
    told = release.kubectl("api-resources", "--verbs=list", f"--namespaced={str(namespaced).lower()}", "--output=name")
    return told.split()


def listed(release: Release, kind: str) -> list[dict[str, dict[str, dict[str, str]]]]:
    """The objects of a kind."""
    return list(json.loads(release.kubectl("get", kind, "--output=json"))["items"])


def names_of_crds() -> set[str]:
    """Of the four kinds, written kind/name."""
    return {f"customresourcedefinitions.apiextensions.k8s.io/{crd['metadata']['name']}" for crd in crds().values()}
