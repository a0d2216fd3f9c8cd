"""The virtual environment of the checkout: the locked dependencies and the project's wheel, installed again when they change.

`python3 -m devcluster.environment` runs on any Python from 3.11, before anything is installed, so it imports the standard
library only. The wheel is not installed in editable form: tests and programs run what would be shipped.
"""

import fcntl
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK_FILE = ROOT / "requirements-dev.lock"
WHEEL_SOURCES = (
    "agentidp",
    "operator",
    "token_service",
    "management_api",
    "kubectl_agentidp",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
# Byte code comes with the first import: most of what is installed never is, and compiling it takes longer than all else.
PIP_INSTALL: tuple[str | Path, ...] = (VENV / "bin" / "pip", "install", "--disable-pip-version-check", "--no-compile")
LAST_LINES = 20


@dataclass(frozen=True)
class Part:
    """Something that is installed, and what it is made from: installed again when that is no longer the same."""

    name: str
    fingerprint: Callable[[], str]
    install: Callable[[], None]

    def bring_up_to_date(self) -> None:
        """Takes no time when it is."""
        stamp = VENV / f"{self.name}.installed"
        wanted = self.fingerprint()
        if not stamp.exists() or stamp.read_text() != wanted:
            self.install()
            stamp.write_text(wanted)


def main() -> int:
    """Bring the environment up to date."""
    try:
        with _only_one():
            for part in (DEPENDENCIES, WHEEL):
                part.bring_up_to_date()
    except DevclusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _dependencies_fingerprint() -> str:
    """A moved checkout and another Python need a new environment, too."""
    return _digest([str(VENV).encode(), sys.version.encode(), LOCK_FILE.read_bytes()])


def _wheel_fingerprint() -> str:
    files = sorted(file for source in WHEEL_SOURCES for file in _files(ROOT / source))
    contents = (f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes() for file in files)
    return _digest([_dependencies_fingerprint().encode(), *contents])


def _files(source: Path) -> Iterable[Path]:
    if source.is_file():
        return [source]
    return (file for file in source.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _install_dependencies() -> None:
    progress = Progress()
    progress.show("making the virtual environment")
    _run([sys.executable, "-m", "venv", "--clear", VENV], lambda _: None)
    total = sum("==" in line for line in LOCK_FILE.read_text().splitlines())
    _run([*PIP_INSTALL, "--require-hashes", "--requirement", LOCK_FILE], lambda lines: progress.show(_pip_state(lines, total)))
    progress.done("installed the Python packages")


def _pip_state(lines: list[str], total: int) -> str:
    if lines[-1].startswith("Installing "):
        return "installing the Python packages"
    return f"downloading Python packages: {sum(line.startswith('Collecting ') for line in lines)}/{total}"


def _install_wheel() -> None:
    progress = Progress()
    with tempfile.TemporaryDirectory() as directory:
        _run([VENV / "bin" / "hatchling", "build", "--target", "wheel", "--directory", directory], lambda _: None)
        (wheel,) = Path(directory).glob("*.whl")
        _run([*PIP_INSTALL, "--no-index", "--no-deps", "--force-reinstall", wheel], lambda _: None)
    progress.done(f"installed {wheel.name}")


def _run(command: Sequence[str | Path], progress: Callable[[list[str]], None]) -> None:
    """Run to the end, showing what it has written so far; raises with its last lines."""
    lines: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            progress(lines)
    if process.returncode != 0:
        end = "\n".join(f"    {line}" for line in lines[-LAST_LINES:])
        raise DevclusterError(
            f"{Path(command[0]).name} failed:\n{end}\nNothing but Python and a package index is needed; is it reachable?"
        )


@contextmanager
def _only_one() -> Iterator[None]:
    """Two `make` in one checkout take turns; the kernel lets go of the lock if its owner dies."""
    with Path(f"{VENV}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


DEPENDENCIES = Part("dependencies", _dependencies_fingerprint, _install_dependencies)
WHEEL = Part("wheel", _wheel_fingerprint, _install_wheel)

if __name__ == "__main__":
    sys.exit(main())
