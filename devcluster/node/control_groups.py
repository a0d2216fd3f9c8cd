"""The node's own control group in each hierarchy of this machine: what limits its pods, and shows who outlived it."""

from pathlib import Path

from devcluster.node.janitor import CONTROL_GROUPS

# Else all pods together would weigh as much as one busy process of this machine.
CPU_SHARES = 8192


def hierarchies() -> list[Path]:
    """One of version 2, or one for each controller of version 1."""
    if (CONTROL_GROUPS / "cgroup.controllers").exists():
        return [CONTROL_GROUPS]
    return [path for path in CONTROL_GROUPS.iterdir() if path.is_dir() and not path.is_symlink()]


def groups_of(name: str) -> list[Path]:
    """The folders of a group, whether they exist or not."""
    return [hierarchy / name for hierarchy in hierarchies()]


def make_groups(name: str) -> None:
    """Make the group everywhere, with the processors and the memory that there are."""
    for group in groups_of(name):
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if group.parent != CONTROL_GROUPS and (group / setting).exists():
                (group / setting).write_text((group.parent / setting).read_text())
        if (group / "cpu.shares").exists():
            (group / "cpu.shares").write_text(str(CPU_SHARES))
