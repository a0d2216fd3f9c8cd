"""The installation guide's commands, word for word, on a real API server without pods; test_moving has the last of them."""

import json
from collections.abc import Callable

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from tests.support.chart import Manifest
from tests.support.guides import steps_of

OF_OURS = "--selector=app.kubernetes.io/part-of=agentidp"


def test_from_the_first_to_the_last_command(empty_cluster: ControlPlane, type_in: Callable[[str], str]) -> None:
    """By Helm, then without it and handed over; an uninstallation leaves the kinds."""
    install, apply, hand_over, keep_from_argo, upgrade_and_back, uninstall, _ = steps_of("install")

    assert "STATUS: deployed" in type_in(install)
    assert "Issuer:         https://idp.example.com\n" in type_in("helm get notes agentidp --namespace agentidp-system")
    assert programs(empty_cluster) == ["agentidp-management-api", "agentidp-operator", "agentidp-token-service"]
    type_in(keep_from_argo)
    kept = crds(empty_cluster)
    assert {one["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] for one in kept} == {"Prune=false"}
    assert "Rollback was a success" in type_in(upgrade_and_back)
    assert "https://idp.example.com" in type_in("helm get values agentidp --namespace agentidp-system")
    type_in(uninstall)
    assert programs(empty_cluster) == []
    assert len(crds(empty_cluster)) == 5

    empty_cluster.kubectl("delete", "crd", OF_OURS)
    type_in(apply)
    assert "STATUS: deployed" in type_in(hand_over)
    assert len(programs(empty_cluster)) == 3
    type_in(uninstall)
    assert programs(empty_cluster) == []


def programs(cluster: ControlPlane) -> list[str]:
    """The Deployments."""
    return sorted(one["metadata"]["name"] for one in listed(cluster, "deployments", f"--namespace={NAMESPACE}"))


def crds(cluster: ControlPlane) -> list[Manifest]:
    """Those of the chart."""
    return listed(cluster, "crds", OF_OURS)


def listed(cluster: ControlPlane, *what: str) -> list[Manifest]:
    """What there is now."""
    items: list[Manifest] = json.loads(cluster.kubectl("get", *what, "--output=json").stdout)["items"]
    return items
