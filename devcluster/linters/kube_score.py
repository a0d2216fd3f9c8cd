"""kube-score: what is good practice for objects that are valid: probes, budgets, network policies, security contexts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devcluster.linters.findings import Finding, report
from devcluster.linters.programs import linter

NO_OBJECTION = 10
OPTIONAL = ("container-seccomp-profile", "container-ports-check")
"""What it does not check by itself and we want checked; its others ask for requests that equal the limits."""
EXEMPTIONS = {
    "--ignore-container-cpu-limit": (
        "A CPU limit slows a program down while its node is idle, just when it has much to do; requests share what there is."
    ),
    "--ignore-test=container-image-pull-policy": (
        "The tag of a release does not move, and a digest cannot: with Always no pod would start while the registry is away."
    ),
    "--ignore-test=deployment-has-host-podantiaffinity": (
        "Topology spread constraints do it, over nodes and zones, and pod-topology-spread-constraints asks for them."
    ),
}
"""What it is told not to ask for, each with the reason."""


def score(manifests: Sequence[Path], kubernetes_version: str, exemptions: Mapping[str, str] = EXEMPTIONS) -> list[Finding]:
    """What it would have otherwise, warnings included; the manifests are all of one release, since they refer to each other."""
    minor = kubernetes_version.rpartition(".")[0]
    command: list[str | Path] = [linter("kube-score"), "score", "--output-format=json", f"--kubernetes-version=v{minor}"]
    options = [*exemptions, *(f"--enable-optional-test={check}" for check in OPTIONAL)]
    objects = report([*command, *options, *manifests]) or ()  # null where it has no check for any of the kinds
    return [finding for one in objects for check in one["checks"] for finding in _findings(one["object_name"], check)]


def _findings(where: str, check: Mapping[str, Any]) -> list[Finding]:
    if check["skipped"] or check["grade"] >= NO_OBJECTION:
        return []
    comments = [" ".join(filter(None, (one["path"], one["summary"]))) for one in check["comments"] or []]
    return [Finding(f"kube-score, {check['check']['id']}", where, one) for one in comments or [check["check"]["comment"]]]
