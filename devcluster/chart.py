"""The Helm chart as manifests: the one source of the rules under which the programs run, here as in a real cluster."""

import subprocess
from pathlib import Path

from devcluster.binary import control_plane_binary
from devcluster.errors import DevclusterError

CHART = Path(__file__).parent.parent / "charts" / "agentidp"
RELEASE = "agentidp"
IDENTITIES_ONLY = ("--set=workloads.enabled=false", "--set=crds.install=false")
"""For programs that run outside of the cluster: their ServiceAccounts and rules."""
VALUE_FILES = {"its own values": [], **{one.stem: [f"--values={one}"] for one in sorted(CHART.glob("ci/*.yaml"))}}
"""Values that the chart is tried with, as options of `helm template`, by what they are called."""


def render(namespace: str, *options: str) -> str:
    """The manifests of the chart; `options` are those of `helm template`."""
    result = helm("template", RELEASE, str(CHART), f"--namespace={namespace}", *options)
    if result.returncode != 0:
        raise DevclusterError(f"the chart cannot be rendered: {result.stderr.strip()}")
    return result.stdout


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm, which is a sub-command of the control plane's binary."""
    return subprocess.run([control_plane_binary(), "helm", *arguments], capture_output=True, text=True, check=False)
