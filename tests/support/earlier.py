"""An earlier version of the project, from its own history: what an upgrade starts from."""

import io
import subprocess
import tarfile
from pathlib import Path

from tests.support.crd_schema import CHECKOUT

COMMIT = "f0da1ea418ff9f7267d27203788fdeed32cfeaf7"
"""The first whose chart ran on a node. When there are releases, the last one's tag takes its place."""


def is_known() -> bool:
    """Whether this checkout has that commit: a shallow clone has not, nor has a copy without its history."""
    return _git("cat-file", "-e", f"{COMMIT}^{{commit}}").returncode == 0


def write_earlier(directory: Path) -> Path:
    """The sources of then, in this directory."""
    done = _git("archive", COMMIT)
    assert done.returncode == 0, done.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, check=False)
