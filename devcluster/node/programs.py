"""What is compiled for a node: Kubernetes' own programs, CoreDNS, the process that holds a pod, and containerd."""

from dataclasses import replace
from pathlib import Path

from devcluster.go_module import GoModule, kubernetes_version_flags

HERE = Path(__file__).parent
KUBERNETES = "k8s.io/kubernetes"
CONTAINERD = "github.com/containerd/containerd/v2"

NODE = GoModule(HERE / "programs", "the node", ("node/kubenode", "node/coredns", "node/pause"), versioned_by=KUBERNETES)
RUNTIME = GoModule(
    HERE / "containerd",
    "containerd",
    tuple(f"{CONTAINERD}/cmd/{program}" for program in ("containerd", "containerd-shim-runc-v2", "ctr")),
    versioned_by=CONTAINERD,
    tags="no_btrfs,no_zfs,no_devmapper",
)


def node_programs() -> Path:
    """The folder with `kubenode`, `coredns` and `pause`; compiles them when this machine has none."""
    return replace(NODE, linker_flags=kubernetes_version_flags(NODE.required_version(KUBERNETES))).programs()


def runtime_programs() -> Path:
    """The folder with `containerd`, its shim and `ctr`; compiles them when this machine has none."""
    version = RUNTIME.required_version(CONTAINERD)
    return replace(RUNTIME, linker_flags=f"-X {CONTAINERD}/version.Version={version}").programs()
