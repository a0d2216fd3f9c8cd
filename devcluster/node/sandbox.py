"""Namespaces of their own for everything that a node runs, held by one process: when it ends, the kernel ends the rest."""

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.node.requirements import NEW_NAMESPACES
from devcluster.processes import Child, Children

HOST_NAME = "node1"
START_SECONDS = 10.0
POLL_SECONDS = 0.01

# What the kubelet wants the kernel's settings to be. It is shown files with these values instead of this machine's settings,
# which hold for everything that runs here.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
# Where programs on a node expect their own folders, and what stands for them: under the node's folder.
FOLDERS = {
    "/var/log/pods": "log/pods",
    "/var/log/containers": "log/containers",
    "/var/lib/cni": "cni",
    "/var/lib/kubelet": "kubelet",
}


@dataclass(frozen=True)
class Sandbox:
    """The namespaces, as long as their holder runs."""

    children: Children
    holder: Child
    pid: int
    """The first process inside, as this machine numbers it."""

    @classmethod
    def start(cls, children: Children, directory: Path, holder: Path) -> "Sandbox":
        """New namespaces, held by this program, in which a node can live that keeps everything in the directory."""
        child = children.start("namespaces", [*NEW_NAMESPACES, holder], directory / "log" / "namespaces.log")
        sandbox = cls(children, child, _first_process(child, holder))
        sandbox._furnish(directory)
        return sandbox

    def command(self, *command: str | Path) -> list[str | Path]:
        """The command that runs this one inside."""
        return ["nsenter", f"--target={self.pid}", "--all", "--", *command]

    def run(self, *command: str | Path) -> str:
        """What a command inside wrote; raises unless it ends with 0."""
        result = subprocess.run(self.command(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise DevclusterError(f"{' '.join(map(str, command))}: {(result.stderr or result.stdout).strip()}")
        return result.stdout

    def end(self) -> None:
        """End everything inside, at once."""
        self.holder.signal(signal.SIGKILL)
        self.children.end(self.holder)

    def _furnish(self, directory: Path) -> None:
        self.run("hostname", HOST_NAME)
        self._mount_own_run_and_sys()
        self.run("mount", "--make-rshared", "/")
        self._mount_own_folders(directory)
        self._show_kernel_settings(directory / "kernel")
        hosts = directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {HOST_NAME}\n")
        self.run("mount", "--bind", hosts, "/etc/hosts")
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")  # of this network namespace only

    def _mount_own_run_and_sys(self) -> None:
        """A /sys that shows the links of this network namespace, with the machine's control groups in it."""
        self.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
        self.run("mkdir", "-p", "/run/cgroup", "/run/lock")
        self.run("mount", "--rbind", "/sys/fs/cgroup", "/run/cgroup")
        self.run("mount", "-t", "sysfs", "sysfs", "/sys")
        self.run("mount", "--rbind", "/run/cgroup", "/sys/fs/cgroup")
        self.run("umount", "--lazy", "/run/cgroup")

    def _mount_own_folders(self, directory: Path) -> None:
        """On a file system that is gone with the sandbox, so that no folder is made on this machine's own."""
        for parent in ("/var/log", "/var/lib"):
            self.run("mount", "-t", "tmpfs", "tmpfs", parent)
        for place, ours in FOLDERS.items():
            (directory / ours).mkdir(parents=True, exist_ok=True)
            self.run("mkdir", "-p", place)
            self.run("mount", "--bind", directory / ours, place)
        self.run("mount", "--make-rshared", "/var/lib/kubelet")

    def _show_kernel_settings(self, directory: Path) -> None:
        directory.mkdir()
        for setting, value in KERNEL_SETTINGS.items():
            shown = directory / setting.replace("/", ".")
            shown.write_text(f"{value}\n")
            self.run("mount", "--bind", shown, f"/proc/sys/{setting}")


def _first_process(child: Child, holder: Path) -> int:
    """The holder's number, as soon as it runs: by then it is in all of its namespaces."""
    deadline = time.monotonic() + START_SECONDS
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    while time.monotonic() < deadline:
        child.require_running()
        for number in children.read_text().split():
            if Path(f"/proc/{number}/exe").resolve() == holder.resolve():
                return int(number)
        time.sleep(POLL_SECONDS)
    raise DevclusterError(f"no namespaces after {START_SECONDS:.0f} s; the end of {child.log}:\n{child.last_lines()}")
