"""Upgrade, rollback and uninstallation by Helm, with pods that really come and go."""

import re
from pathlib import Path

from devcluster.chart import RELEASE
from devcluster.install import NAMESPACE
from devcluster.kubectl import Kubectl
from tests.support.chart import a_later_chart, fields_of_agents
from tests.support.cluster_state import State, kinds, listed, state_of
from tests.support.crd_schema import crds
from tests.support.guides import GUIDES
from tests.support.pods import Pods, mounted_at
from tests.support.releases import IMAGE, TIMEOUT, Release
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

LEFT_IN_THE_NAMESPACE = {"secrets/agentidp-signing-keys", "leases.coordination.k8s.io/agentidp-operator"}
"""What the operator made. With the signing keys, a later installation goes on under the same identity."""
IN_EVERY_NAMESPACE = {"configmaps/kube-root-ca.crt", "serviceaccounts/default"}


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


def test_an_uninstallation_leaves_what_the_docs_say(tenant: Tenant, pods: Pods, release: Release, before: State) -> None:
    """The kinds with all agents and credentials, their Secrets, and what the operator made; installed again, it goes on."""
    pair = tenant.issue()
    uninstall(release)
    until_changes_are({f"namespaces/{NAMESPACE}", *what_comes_with_the_kinds()}, before, pods)
    assert tenant.find("AgentCredential")
    assert tenant.pair() == pair

    release.install()
    assert gets_a_token(pods, "installed-again")
    assert tenant.pair() == pair


def test_the_commands_of_the_docs_remove_the_rest(tenant: Tenant, pods: Pods, release: Release, before: State) -> None:
    """Nothing of it is left: not in the cluster, in no role of it, and not in a tenant's namespace."""
    tenant.issue()
    uninstall(release)
    for command in commands_that_remove_the_rest():
        pods.kubectl(*command.split()[1:])
    until_changes_are(set(), before, pods)
    eventually("Secrets go with their credentials", lambda: left_in(tenant.namespace, pods.kubectl), lambda left: not left)


def uninstall(release: Release) -> None:
    """By Helm, and wait for the pods' ends."""
    release.helm("uninstall", RELEASE, "--wait", f"--timeout={TIMEOUT}")
    kubectl = release.access.kubectl
    eventually("pods end", lambda: left_in(NAMESPACE, kubectl), lambda left: left == LEFT_IN_THE_NAMESPACE, within=90)


def commands_that_remove_the_rest() -> list[str]:
    """Those that the guide's table names, in its order."""
    section = (GUIDES / "install.md").read_text().partition("## Uninstall")[2].partition("\n## ")[0]
    commands = re.findall(r"`(kubectl delete [^`]+)`", section)
    assert len(commands) == 2
    return commands


def gets_a_token(pods: Pods, name: str) -> bool:
    """Whether a new pod with the Secret gets a token that verifies."""
    return bool(pods.start(name, "/workloads/verifying.py", mounted_at(NAME), secrets=(NAME,)).until_it_ends())


def left_in(namespace: str, kubectl: Kubectl) -> set[str]:
    """All objects of all kinds, written kind/name, but for what Kubernetes puts into every namespace."""
    everything = ((kind, listed(kubectl, kind, f"--namespace={namespace}")) for kind in kinds(kubectl, namespaced=True))
    return {f"{kind}/{one['metadata']['name']}" for kind, found in everything for one in found} - IN_EVERY_NAMESPACE


def until_changes_are(expected: set[str], before: State, pods: Pods) -> None:
    """These and no others are in the cluster now and were not, or were and are not, or are others; roles take a moment."""
    eventually(
        f"this has changed in the cluster: {expected}",
        lambda: {name for name, _ in before.items() ^ state_of(pods.kubectl).items()},
        lambda changed: changed == expected,
    )


def what_comes_with_the_kinds() -> set[str]:
    """The four, and what the API server notes for their group."""
    names = {f"customresourcedefinitions.apiextensions.k8s.io/{crd['metadata']['name']}" for crd in crds().values()}
    return names | {"apiservices.apiregistration.k8s.io/v1alpha1.idp.sentryagent.ai"}
