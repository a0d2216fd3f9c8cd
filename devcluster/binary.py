"""The control plane's binary: compiled from `controlplane/` on first use, then kept outside the checkout.

The cache is keyed by version and source, so checkouts share it, and a change of the module compiles it again.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.compilation import compile_module
from devcluster.errors import DevclusterError
from devcluster.progress import Progress

MODULE = Path(__file__).parent / "controlplane"
SOURCES = ("main.go", "go.mod", "go.sum")


def control_plane_binary() -> Path:
    """The path of the compiled binary; compiles it when this machine has none, which takes minutes."""
    binary = cache_directory() / cache_key() / "controlplane"
    if not binary.exists():
        _compile_once(binary)
    return binary


def cache_directory() -> Path:
    """Where binaries are kept: under XDG_CACHE_HOME, by default ~/.cache."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "agentidp" / "controlplane"


def cache_key() -> str:
    """Version, platform and a hash of the sources."""
    digest = hashlib.sha256(b"\0".join((MODULE / name).read_bytes() for name in SOURCES)).hexdigest()
    return f"{required_version('k8s.io/kubernetes')}-{platform.system().lower()}-{platform.machine()}-{digest[:16]}"


def required_version(module: str) -> str:
    """The version of a Go module that `go.mod` requires, such as v1.36.3."""
    match = re.search(rf"^\s*{re.escape(module)} (v\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise DevclusterError(f"{MODULE / 'go.mod'} does not require {module}")
    return match[1]


def linker_flags() -> str:
    """Stripped, and with the versions that the programs report."""
    kubernetes = required_version("k8s.io/kubernetes")
    major, minor = kubernetes.removeprefix("v").split(".")[:2]
    version = "k8s.io/component-base/version"
    return " ".join(
        [
            "-s -w",
            f"-X {version}.gitVersion={kubernetes}",
            f"-X {version}.gitMajor={major}",
            f"-X {version}.gitMinor={minor}",
            f"-X helm.sh/helm/v4/internal/version.version={required_version('helm.sh/helm/v4')}",
        ]
    )


def _compile_once(binary: Path) -> None:
    """Compile beside the final place and rename, so that no half-written binary is ever found."""
    directory = binary.parent
    partial = directory.with_name(f"{directory.name}.partial")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _only_one_build(directory.parent / "lock"):
            if binary.exists():
                return
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            compile_module(MODULE, partial / binary.name, linker_flags(), log=partial / "compile.log")
            partial.rename(directory)
    except OSError as error:
        raise DevclusterError(
            f"the control plane's binary cannot be kept: {error}; set XDG_CACHE_HOME to a folder with 200 MB"
        ) from error


@contextmanager
def _only_one_build(path: Path) -> Iterator[None]:
    """Across all checkouts of this person; the kernel lets go of the lock if its owner dies."""
    progress = Progress()
    with path.open("w") as lock:
        while not _locked(lock.fileno()):
            progress.show("waiting for another checkout that compiles the control plane")
            time.sleep(1)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
