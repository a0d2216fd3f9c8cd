"""The chart as Helm renders it, with its own values and with those of `charts/agentidp/ci`."""

from functools import cache
from typing import Any

import yaml

from devcluster.chart import CHART, render
from devcluster.install import NAMESPACE

Manifest = dict[str, Any]
VALUE_FILES = {"its own values": [], **{one.stem: [f"--values={one}"] for one in sorted(CHART.glob("ci/*.yaml"))}}
"""Options of `helm template`, by what they are called."""


@cache
def rendered(*options: str) -> list[Manifest]:
    """All manifests, with the hooks."""
    return [one for one in yaml.safe_load_all(render(NAMESPACE, *options)) if one]


def of_kind(kind: str, manifests: list[Manifest]) -> dict[str, Manifest]:
    """Those of one kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The specs of all pods that would run, by the name of what makes them."""
    deployments = of_kind("Deployment", manifests)
    return {name: one["spec"]["template"]["spec"] for name, one in deployments.items()} | {
        name: one["spec"] for name, one in of_kind("Pod", manifests).items()
    }
