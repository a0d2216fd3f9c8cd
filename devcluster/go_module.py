"""Programs that are compiled from a Go module on first use, then kept outside the checkout.

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
from dataclasses import dataclass
from pathlib import Path

from devcluster.compilation import Build, compile_programs
from devcluster.errors import DevclusterError
from devcluster.progress import Progress


@dataclass(frozen=True)
class GoModule:
    """A module that lies in this checkout, and what is compiled from it."""

    directory: Path
    what: str
    """Its programs in the words of a person."""
    packages: tuple[str, ...]
    """The programs' import paths; each program is called like the end of its path."""
    versioned_by: str
    """The module that it requires whose version says most about the programs."""
    linker_flags: str = ""
    """Besides those that strip the programs."""
    tags: str = ""
    cgo: bool = False

    def programs(self) -> Path:
        """The folder of the compiled programs; compiles them when this machine has none, which takes minutes."""
        directory = self.cache / self.cache_key()
        if not directory.exists():
            self._compile_once(directory)
        return directory

    @property
    def cache(self) -> Path:
        """Where all versions of these programs are kept."""
        return cache_directory() / self.directory.name

    def cache_key(self) -> str:
        """Version, platform and a hash of the sources."""
        sources = [*sorted(self.directory.rglob("*.go")), self.directory / "go.mod", self.directory / "go.sum"]
        digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
        version = self.required_version(self.versioned_by)
        return f"{version}-{platform.system().lower()}-{platform.machine()}-{digest[:16]}"

    def required_version(self, module: str) -> str:
        """The version of another module that `go.mod` requires, such as v1.36.3."""
        go_mod = self.directory / "go.mod"
        match = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
        if match is None:
            raise DevclusterError(f"{go_mod} does not require {module}")
        return match[1]

    def _compile_once(self, directory: Path) -> None:
        """Compile beside the final place and rename, so that no half-written program is ever found."""
        partial = directory.with_name(f"{directory.name}.partial")
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with only_one(self.cache / "lock", f"another checkout that compiles {self.what}"):
                if directory.exists():
                    return
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                flags = f"-s -w {self.linker_flags}".strip()
                build = Build(self.what, self.directory, self.packages, flags, self.tags, self.cgo)
                compile_programs(build, partial)
                partial.rename(directory)
        except OSError as error:
            raise DevclusterError(
                f"the programs of {self.what} cannot be kept: {error}; set XDG_CACHE_HOME to a folder with 500 MB"
            ) from error


def cache_directory() -> Path:
    """Where everything is kept that takes long to make: under XDG_CACHE_HOME, by default ~/.cache."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "agentidp"


def kubernetes_version_flags(version: str) -> str:
    """What makes Kubernetes' programs report the version that they are."""
    major, minor = version.removeprefix("v").split(".")[:2]
    reported = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in reported.items())


@contextmanager
def only_one(path: Path, other: str) -> Iterator[None]:
    """Across all checkouts of this person; the kernel lets go of the lock if its owner dies."""
    progress = Progress()
    with path.open("w") as lock:
        while not _locked(lock.fileno()):
            progress.show(f"waiting for {other}")
            time.sleep(1)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
