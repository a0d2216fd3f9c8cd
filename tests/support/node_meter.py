"""Processor time on a node of our own: of pods by their control groups, of what runs beside them by its processes."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure.accounting import cpu_seconds, machine_cpu_seconds
from devcluster.node.control_groups import hierarchies
from devcluster.node.node import Node

PROGRAMS = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "containerd")


class Spent(NamedTuple):
    """What a while has cost."""

    seconds: float
    cpu: dict[str, float]
    """CPU seconds of each."""
    others: float
    """Of everything else on this machine: other pods, what measures, and what has nothing to do with it."""


class NodeMeter:
    """From its making to `read`; `pods` are the uids of those that are watched, by what they are called here."""

    def __init__(self, node: Node, pods: Mapping[str, list[str]]) -> None:
        self._node, self._pods = node, pods
        self._started, self._busy = time.monotonic(), machine_cpu_seconds()
        self._before = self._cpu()

    def read(self) -> Spent:
        """What was spent since."""
        now = self._cpu()
        cpu = {name: max(0.0, now[name] - self._before[name]) for name in now}
        busy = machine_cpu_seconds() - self._busy
        return Spent(time.monotonic() - self._started, cpu, max(0.0, busy - sum(cpu.values())))

    def _cpu(self) -> dict[str, float]:
        of_programs = dict.fromkeys(PROGRAMS, 0.0)
        for name, pid in _programs(self._node.sandbox.pid):
            of_programs[name] += cpu_seconds(pid)
        of_pods = {name: sum(_pod_seconds(self._node.control_group, uid) for uid in uids) for name, uids in self._pods.items()}
        return of_programs | of_pods


def _programs(first: int) -> Iterator[tuple[str, int]]:
    """What runs in the node's own process namespace, by name and number; pods have namespaces of theirs."""
    ours = Path(f"/proc/{first}/ns/pid").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside, command = (process / "ns" / "pid").readlink(), (process / "cmdline").read_text().split("\0")
        except OSError:
            continue  # it has ended
        name = next((name for name in PROGRAMS if name in [*command[1:2], Path(command[0]).name]), None)
        if inside == ours and name:
            yield name, int(process.name)


def _pod_seconds(control_group: str, uid: str) -> float:
    """Of all that has run in a pod, in whichever version of control groups."""
    for hierarchy in hierarchies():
        for group in (hierarchy / control_group).glob(f"kubepods/**/pod{uid}"):
            if (group / "cpuacct.usage").exists():
                return int((group / "cpuacct.usage").read_text()) / 1e9
            if (group / "cpu.stat").exists() and "usage_usec" in (text := (group / "cpu.stat").read_text()):
                return int(text.split("usage_usec", 1)[1].split()[0]) / 1e6
    return 0.0
