"""`.dev`: what `make up` keeps, leaves for people and for `make down`."""

import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from devcluster.errors import DevclusterError

# Somebody who only asks who holds the lock takes it for an instant.
LOCK_ATTEMPTS = 20
LOCK_PAUSE_SECONDS = 0.1
PLUGIN = "kubectl-agentidp"


@dataclass(frozen=True)
class Folder:
    """The folder of one checkout. Its lock is held while everything is up, so a crash leaves no wrong answer behind."""

    path: Path

    @property
    def environment(self) -> Path:
        """A shell file for people; it exists when everything is ready."""
        return self.path / "env"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs, one file per program."""
        return self.path / "log"

    @property
    def cluster(self) -> Path:
        """What the control plane keeps."""
        return self.path / "cluster"

    @property
    def commands(self) -> Path:
        """Programs for a person's PATH."""
        return self.path / "bin"

    def clear(self) -> None:
        """Remove what an earlier run left, but not its logs."""
        self.environment.unlink(missing_ok=True)
        shutil.rmtree(self.cluster, ignore_errors=True)
        shutil.rmtree(self.commands, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; raises when another process does."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a+") as lock:
            if not any(_acquired(lock, pause=LOCK_PAUSE_SECONDS) for _ in range(LOCK_ATTEMPTS)):
                raise DevclusterError("another `make up` is at work in this checkout")
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
            lock.truncate(0)

    def holder(self) -> int | None:
        """The process that holds the lock, if any does."""
        if not self._lock.exists():
            return None
        with self._lock.open("r+") as lock:
            while not _acquired(lock, pause=0):
                lock.seek(0)
                if process := lock.read():
                    return int(process)
                time.sleep(LOCK_PAUSE_SECONDS)
        return None

    def write_environment(self, variables: Mapping[str, str]) -> None:
        """The shell file, at once or not at all."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines.append(f'export PATH={shlex.quote(str(self.commands))}:"$PATH"')
        draft = self.path / "env.draft"
        draft.write_text("\n".join(lines) + "\n")
        draft.rename(self.environment)

    def write_commands(self, kubectl: Path, binary: Path) -> None:
        """What a person needs on PATH: kubectl with our plugin, and Helm out of the control plane's binary."""
        self.commands.mkdir()
        (self.commands / "kubectl").symlink_to(kubectl.absolute())
        (self.commands / PLUGIN).symlink_to(Path(sys.executable).parent / PLUGIN)
        helm = self.commands / "helm"
        helm.write_text(f'#!/bin/sh\nexec {shlex.quote(str(binary))} helm "$@"\n')
        helm.chmod(0o755)

    @property
    def _lock(self) -> Path:
        return self.path / "supervisor.lock"


def _acquired(lock: IO[str], pause: float) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(pause)
        return False
    return True
