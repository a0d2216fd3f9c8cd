"""The control plane's binary: etcd, two programs of Kubernetes, and Helm, from the Go module in `controlplane/`."""

from dataclasses import replace
from pathlib import Path

from devcluster.go_module import GoModule, kubernetes_version_flags

KUBERNETES = "k8s.io/kubernetes"
HELM = "helm.sh/helm/v4"
MODULE = GoModule(Path(__file__).parent / "controlplane", "the control plane", ("controlplane",), versioned_by=KUBERNETES)


def control_plane_binary() -> Path:
    """The path of the compiled binary; compiles it when this machine has none, which takes minutes."""
    return replace(MODULE, linker_flags=linker_flags()).programs() / "controlplane"


def linker_flags() -> str:
    """The versions that the programs report: those of go.mod, the only place that names them."""
    helm = MODULE.required_version(HELM)
    kubernetes = MODULE.required_version(KUBERNETES)
    return f"{kubernetes_version_flags(kubernetes)} -X {HELM}/internal/version.version={helm}"
