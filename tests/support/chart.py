"""The chart as Helm renders it, with its own values and with those of `charts/agentidp/ci`."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml

from devcluster.chart import CHART, render
from devcluster.install import NAMESPACE

Manifest = dict[str, Any]


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


def a_later_chart(directory: Path) -> Path:
    """The chart with one more field in a CRD."""
    chart = directory / "agentidp"
    shutil.copytree(CHART, chart)
    path = chart / "files" / "crds" / "agents.yaml"
    crd = yaml.safe_load(path.read_text())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["newField"] = {"type": "string", "maxLength": 10}
    path.write_text(yaml.safe_dump(crd))
    return chart


def fields_of_agents(kubectl: Callable[..., CompletedProcess[str]]) -> set[str]:
    """The fields that an Agent's spec may have."""
    crd = json.loads(kubectl("get", "crd", "agents.idp.sentryagent.ai", "--output=json").stdout)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return set(schema["properties"]["spec"]["properties"])
