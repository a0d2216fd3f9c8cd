"""Putting AgentIdP into a cluster: all of it as a manifest, or, for programs that run on this machine, all but the programs."""

import json
from pathlib import Path

from devcluster.access import Access
from devcluster.chart import IDENTITIES_ONLY, render

NAMESPACE = "agentidp-system"
CRDS = Path(__file__).parent.parent / "crds"


def install(access: Access, namespace: str = NAMESPACE) -> None:
    """Namespace, CRDs, ServiceAccounts and their rules. May be done again at any time; done when the kinds are served."""
    kubectl = access.kubectl
    kubectl("apply", "--filename=-", input=namespace_manifest(namespace))
    kubectl("apply", "--server-side", f"--filename={CRDS}")
    kubectl("apply", "--filename=-", input=render(namespace, *IDENTITIES_ONLY))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", f"--filename={CRDS}")


def manifest(*options: str) -> str:
    """Everything for `kubectl apply`, for who has no Helm; `options` are those of `helm template`."""
    return f"---\n{namespace_manifest(NAMESPACE)}\n{render(NAMESPACE, '--skip-tests', *options)}"


def namespace_manifest(name: str) -> str:
    """The namespace of AgentIdP, held to the restricted Pod Security Standard."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
