"""The monitoring guide's command, word for word, on a real API server that knows the kinds of the Prometheus operator."""

import json
from collections.abc import Callable

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from tests.support.chart import Manifest
from tests.support.guides import steps_of

KINDS = {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}
GROUP = "monitoring.coreos.com"


def test_the_command_switches_everything_on(empty_cluster: ControlPlane, type_in: Callable[[str], str]) -> None:
    """On a release that has been there before, whose values stay."""
    install, *_ = steps_of("install")
    (switch_on,) = steps_of("monitoring")
    for plural, kind in KINDS.items():
        empty_cluster.kubectl("apply", "--filename=-", input=json.dumps(a_crd(plural, kind)))
    empty_cluster.kubectl("wait", "--for=condition=Established", "crd", *(f"{plural}.{GROUP}" for plural in KINDS))
    type_in(install)
    type_in(switch_on)
    told = empty_cluster.kubectl("get", ",".join([*KINDS, "configmaps"]), f"--namespace={NAMESPACE}", "--output=name").stdout
    assert {f"servicemonitor.{GROUP}/agentidp-{name}" for name in ("operator", "token-service", "management-api")} <= set(
        told.split()
    )
    assert {f"prometheusrule.{GROUP}/agentidp", "configmap/agentidp-dashboard"} <= set(told.split())
    assert "https://idp.example.com" in type_in("helm get values agentidp --namespace agentidp-system")


def a_crd(plural: str, kind: str) -> Manifest:
    """A kind of which the API server knows no more than its name; kubeconform knows its fields, elsewhere."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
