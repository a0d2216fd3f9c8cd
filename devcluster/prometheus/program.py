"""The program itself, compiled from its Go module."""

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
"""Without its ways to find targets in clouds, which are most of it: what it scrapes here is written in a file."""


def prometheus_program() -> Path:
    """The path of the compiled program; compiles it when this machine has none, which takes about two minutes."""
    flags = f"-X github.com/prometheus/common/version.Version={prometheus_version()}"
    return replace(MODULE, linker_flags=flags).programs() / "prometheus"


def prometheus_version() -> str:
    """As Prometheus' makers write it, such as 3.15.1: the Go module v0.315.1 is release 3.15.1."""
    _, release, patch = MODULE.required_version(PROMETHEUS).removeprefix("v").split(".")
    return f"{release[0]}.{int(release[1:])}.{patch}"
