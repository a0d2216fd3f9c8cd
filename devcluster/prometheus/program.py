"""The Prometheus program, compiled from its Go module."""

from dataclasses import replace
from pathlib import Path

from devcluster.go_module import GoModule

PROMETHEUS = "github.com/prometheus/prometheus"
MODULE = GoModule(
    Path(__file__).parent,
    "Prometheus",
    (f"{PROMETHEUS}/cmd/prometheus",),
    versioned_by=PROMETHEUS,
    tags="remove_all_sd",
)
"""Built without service discovery, which is most of the program: here a file lists the targets."""


def prometheus_program() -> Path:
    """The path of the compiled program; compiles it when this machine has none, which takes about two minutes."""
    flags = f"-X github.com/prometheus/common/version.Version={prometheus_version()}"
    return replace(MODULE, linker_flags=flags).programs() / "prometheus"


def prometheus_version(module: GoModule = MODULE) -> str:
    """Return the version of the release, such as 3.15.1 for the Go module v0.315.1."""
    _, release, patch = module.required_version(PROMETHEUS).removeprefix("v").split(".")
    return f"{release[0]}.{int(release[1:])}.{patch}"
