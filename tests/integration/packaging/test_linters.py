"""The chart's linters find nothing in the chart, and do find what is wrong elsewhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from devcluster.chart import CHART, render
from devcluster.errors import DevclusterError
from devcluster.install import NAMESPACE
from devcluster.linters.chart import lint_chart
from devcluster.linters.findings import Finding
from devcluster.linters.kube_score import EXEMPTIONS, score
from devcluster.linters.kubeconform import conform
from devcluster.linters.schemas import KUBERNETES_VERSIONS, write_our_schemas

OLDEST, _, NEWEST = KUBERNETES_VERSIONS
Conform = Callable[[str, str], list[Finding]]
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: one}
spec:
  replicas: 1
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: one, image: one}]}
"""
AGENT = (CHART.parents[1] / "examples" / "workload.yaml").read_text()
ROUTE = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: one}, spec: {rules: [{matches: []}]}}"
MONITOR = (
    "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: one}, "
    "spec: {selector: {}, endpoints: [{port: http}]}}"
)
CERTIFICATE = (
    "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: one}, "
    "spec: {secretName: one, issuerRef: {name: one}}}"
)


@pytest.fixture
def conforming(tmp_path: Path) -> Conform:
    """Runs kubeconform over a text, at a version of Kubernetes."""
    write_our_schemas(tmp_path)

    def run(text: str, version: str) -> list[Finding]:
        (tmp_path / "manifest.yaml").write_text(text)
        return conform([tmp_path / "manifest.yaml"], version, tmp_path)

    return run


def test_the_chart_and_the_examples_have_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """With the chart's own values and with each value file, at each version of Kubernetes."""
    lint_chart()
    assert re.search(r"find nothing in [5-9] renderings", capsys.readouterr().out)


def test_the_oldest_version_is_the_oldest_that_the_chart_admits() -> None:
    """Whoever moves one moves the other."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={OLDEST}-0"


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize(
    "good", [DEPLOYMENT, AGENT, ROUTE, MONITOR, CERTIFICATE], ids=["deployment", "agent", "route", "monitor", "certificate"]
)
def test_what_is_right_is_left_alone(good: str, version: str, conforming: Conform) -> None:
    """Kinds of Kubernetes, of ours and of others."""
    assert conforming(good, version) == []


@pytest.mark.parametrize(
    ("good", "right", "wrong"),
    {
        "a field that does not exist": (DEPLOYMENT, "replicas: 1", "replica: 1"),
        "a field that does not exist, deep inside": (DEPLOYMENT, "image: one", "image: one, imagePolicy: Always"),
        "a value of another type": (DEPLOYMENT, "replicas: 1", 'replicas: "1"'),
        "a field that is missing": (DEPLOYMENT, "  selector: {matchLabels: {app: one}}\n", ""),
        "a kind that there is not": (DEPLOYMENT, "kind: Deployment", "kind: Deploy"),
        "a version that is gone": (DEPLOYMENT, "apps/v1", "extensions/v1beta1"),
        "a field said twice": (DEPLOYMENT, "replicas: 1", "replicas: 1\n  replicas: 2"),
        "a field that an Agent does not have": (AGENT, "spec:", "spec:\n  colour: red"),
        "a field that a route does not have": (ROUTE, "matches", "match"),
        "a field that a monitor does not have": (MONITOR, "port: http", "ports: http"),
        "a field that a certificate does not have": (CERTIFICATE, "secretName: one", "secretName: one, secret: one"),
    }.values(),
)
def test_kubeconform_finds_what_is_wrong(good: str, right: str, wrong: str, conforming: Conform) -> None:
    """Each is a manifest with one mistake."""
    assert right in good
    assert conforming(good.replace(right, wrong, 1), OLDEST)


def test_a_finding_says_where_and_what(conforming: Conform) -> None:
    """In words that lead to the line."""
    (found,) = conforming(DEPLOYMENT.replace("image: one", "image: 1"), OLDEST)
    told = "manifest.yaml, Deployment one: at '/spec/template/spec/containers/0/image': got number, want null or string"
    assert str(found) == f"kubeconform, Kubernetes {OLDEST}: {told}"


def test_versions_of_kubernetes_are_told_apart(conforming: Conform) -> None:
    """A field that came after the oldest version is found there, and only there."""
    text = """{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: one}, spec: {maxReplicas: 2,
      scaleTargetRef: {kind: Deployment, name: one}, behavior: {scaleUp: {tolerance: "0.1"}}}}"""
    assert conforming(text, OLDEST)
    assert not conforming(text, NEWEST)


@pytest.mark.parametrize(
    ("option", "check"),
    {
        "a program that any pod may reach": ("networkPolicies.enabled=false", "pod-networkpolicy"),
        "an image that changes under its name": ("image.tag=latest", "container-image-tag"),
        "memory without a bound": ("operator.resources.limits=null", "container-resources"),
        "a Deployment that a drain may end": ("operator.replicas=1", "deployment-replicas"),
    }.values(),
)
def test_kube_score_finds_what_is_wrong(option: str, check: str, tmp_path: Path) -> None:
    """In the chart with one value that nobody should give it."""
    assert check in checks(tmp_path, f"--set={option}", exemptions=EXEMPTIONS)


def test_what_kube_score_cannot_read_is_no_success(tmp_path: Path) -> None:
    """Such as a value of another type, which kubeconform describes better and is asked about first."""
    (tmp_path / "manifest.yaml").write_text(DEPLOYMENT.replace("replicas: 1", "replicas: many"))
    with pytest.raises(DevclusterError, match="kube-score could not read the manifests"):
        score([tmp_path / "manifest.yaml"], NEWEST)


@pytest.mark.parametrize("exemption", EXEMPTIONS)
def test_every_exemption_is_needed(exemption: str, tmp_path: Path) -> None:
    """One that is not would hide what comes later; and each lets exactly one check pass."""
    others = {option: reason for option, reason in EXEMPTIONS.items() if option != exemption}
    assert len(checks(tmp_path, exemptions=others)) == 1


def checks(directory: Path, *options: str, exemptions: dict[str, str]) -> set[str]:
    """What kube-score objects to in the chart with these options of Helm."""
    rendering = directory / "chart.yaml"
    rendering.write_text(render(NAMESPACE, *options))
    return {finding.linter.removeprefix("kube-score, ") for finding in score([rendering], NEWEST, exemptions)}
