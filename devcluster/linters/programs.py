"""The linters themselves, compiled from their Go modules."""

from pathlib import Path

from devcluster.go_module import GoModule

KUBECONFORM = "github.com/yannh/kubeconform"
KUBE_SCORE = "github.com/zegl/kube-score"
LINTERS = GoModule(
    Path(__file__).parent,
    "the linters",
    (f"{KUBECONFORM}/cmd/kubeconform", f"{KUBE_SCORE}/cmd/kube-score"),
    versioned_by=KUBECONFORM,
)


def linter(name: str) -> Path:
    """`kubeconform` or `kube-score`; compiles both when this machine has none, which takes about a minute."""
    return LINTERS.programs() / name
