"""Putting AgentIdP into a cluster, up to but not including its programs: namespace, CRDs, ServiceAccounts and their rules."""

import json
from pathlib import Path

from devcluster.access import Access
from devcluster.chart import render

NAMESPACE = "agentidp-system"
CRDS = Path(__file__).parent.parent / "crds"


def install(access: Access, namespace: str = NAMESPACE) -> None:
    """May be done again at any time; done when the API server serves the kinds."""
    kubectl = access.kubectl
    kubectl(
        "apply", "--filename=-", input=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    )
    kubectl("apply", "--server-side", f"--filename={CRDS}")
    kubectl("apply", "--filename=-", input=render(namespace))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", f"--filename={CRDS}")
