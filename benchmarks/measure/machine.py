"""The machine that figures come from: without it they mean nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

LIBRARIES = ("kopf", "aiohttp", "bcrypt", "msgspec", "uvloop", "fastapi", "uvicorn", "httptools", "cryptography")


class Machine(Struct, frozen=True):
    """Hardware, kernel and versions of the machine."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    libraries: dict[str, str]


def describe_machine() -> Machine:
    """Describe the machine that runs the benchmark."""
    return Machine(
        cpu=_first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        memory_gib=round(int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        libraries={name: version(name) for name in LIBRARIES},
    )


def load() -> tuple[float, ...]:
    """The load averages over 1, 5 and 15 minutes: more than 0 at the start means that the machine was shared."""
    return tuple(round(one, 2) for one in os.getloadavg())


def revision() -> str:
    """The commit that was measured, and whether the checkout differs from it."""
    root = Path(__file__).parent.parent.parent
    result = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "unknown"


def _first(file: str, field: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")
