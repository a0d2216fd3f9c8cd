"""What is left on this machine of a node whose parent has ended, in whatever way: nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devcluster.node.control_groups import hierarchies
from devcluster.node.sandbox import KERNEL_SETTINGS
from tests.e2e.conftest import Cluster
from tests.support.crd_schema import CHECKOUT
from tests.support.waiting import eventually


@pytest.mark.skipif(os.environ.get("CLUSTER") == "kind", reason="kind's node is a container of the engine")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_node_ends_with_its_parent(end: signal.Signals, cluster: Cluster, tmp_path: Path) -> None:
    """Its processes, links, routes, control groups and its folder; this machine's settings and firewall never change."""
    before, directory = settings(), tmp_path / "another-node"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.node_parent", str(directory)],
        cwd=CHECKOUT,
        env=os.environ | {"STARTED_IN": str(directory)},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        link = parent.stdout.readline().strip()
        assert link, "it does not start"
        assert traces(directory, link)
        assert settings() == before
        parent.send_signal(end)
    eventually("nothing is left", lambda: traces(directory, link), lambda left: not left)
    assert settings() == before


def traces(directory: Path, link: str) -> list[str]:
    """What there is of a node on this machine."""
    routes = (line for line in Path("/proc/net/route").read_text().splitlines() if line.startswith(f"{link}\t"))
    mounts = (line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(directory) in line)
    groups = (str(group) for hierarchy in hierarchies() for group in hierarchy.glob(f"agentidp-*-{directory.name}"))
    places = (str(path) for path in (Path("/sys/class/net", link), directory) if path.exists())
    return [*routes, *mounts, *groups, *places, *processes(directory)]


def processes(directory: Path) -> list[str]:
    """The command lines of all that was started for it, which have inherited where that is."""
    return [command for process in Path("/proc").glob("[0-9]*") if (command := _command_of(process, directory))]


def _command_of(process: Path, directory: Path) -> str:
    try:
        mine = f"STARTED_IN={directory}".encode() in (process / "environ").read_bytes().split(b"\0")
        return (process / "cmdline").read_text().replace("\0", " ") if mine else ""
    except OSError:
        return ""


def settings() -> dict[str, str]:
    """What holds for everything that runs on this machine."""
    kernel = {name: Path("/proc/sys", name).read_text() for name in (*KERNEL_SETTINGS, "net/ipv4/ip_forward")}
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    return kernel | {"firewall": rules}
