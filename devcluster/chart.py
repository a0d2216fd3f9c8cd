"""The Helm chart as manifests: the one source of the rules under which the programs run, here as in a real cluster."""

import subprocess
from pathlib import Path

from devcluster.binary import control_plane_binary
from devcluster.errors import DevclusterError

CHART = Path(__file__).parent.parent / "charts" / "agentidp"


def render(namespace: str, release: str = "agentidp") -> str:
    """The manifests of the chart, without its CRDs."""
    result = helm("template", release, str(CHART), f"--namespace={namespace}")
    if result.returncode != 0:
        raise DevclusterError(f"the chart cannot be rendered: {result.stderr.strip()}")
    return result.stdout


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm, which is a sub-command of the control plane's binary."""
    return subprocess.run([control_plane_binary(), "helm", *arguments], capture_output=True, text=True, check=False)
