"""Processor time and memory of processes, as Linux accounts for them in /proc."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20


class Memory(NamedTuple):
    """Resident memory in MiB: now, and the most that it ever was."""

    now: float
    peak: float


class Spent(NamedTuple):
    """What a while has cost."""

    seconds: float
    cpu: dict[str, float]
    """CPU seconds of each process that was watched."""
    others: float
    """CPU seconds of everything else on this machine: what the figures were disturbed by."""

    @property
    def disturbed(self) -> float:
        """The share of the machine that everything else took, from 0 to 1: near 0 on a quiet machine."""
        return self.others / (self.seconds * (os.cpu_count() or 1))


class Meter:
    """From its making to `read`."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = {**processes, "the benchmark itself": os.getpid()}
        self._started = time.monotonic()
        self._before = self._cpu()
        self._busy_before = machine_cpu_seconds()

    def read(self) -> Spent:
        """Return the seconds and CPU seconds since the start."""
        cpu = {name: after - self._before[name] for name, after in self._cpu().items()}
        busy = machine_cpu_seconds() - self._busy_before
        return Spent(time.monotonic() - self._started, cpu, max(0.0, busy - sum(cpu.values())))

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._processes.items()}


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    return _times(Path(f"/proc/{pid}/stat"))


def main_thread_cpu_seconds(pid: int) -> float:
    """Of the first thread alone, where an event loop runs."""
    return _times(Path(f"/proc/{pid}/task/{pid}/stat"))


def machine_cpu_seconds() -> float:
    """Of all cores together, since the machine was started, without idling."""
    user, nice, system, _idle, _waiting, irq, soft_irq, *_ = map(int, _line("/proc/stat").split()[1:])
    return (user + nice + system + irq + soft_irq) / TICKS


def memory(pid: int) -> Memory:
    """Return the resident memory of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Memory(*(round(int(fields[name].split()[0]) * 1024 / MIB, 1) for name in ("VmRSS", "VmHWM")))


def _times(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()  # the name before it may hold anything
    return (int(fields[11]) + int(fields[12])) / TICKS


def _line(file: str) -> str:
    return Path(file).read_text().partition("\n")[0]
