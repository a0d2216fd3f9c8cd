"""Compiling a Go module so that a person sees how far it is, and what to do when it fails."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.processes import Children
from devcluster.progress import Progress
from devcluster.toolchains.go import go_program

DOWNLOAD_ATTEMPTS = 3
POLL_SECONDS = 0.2

LAST_LINES = 10

ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


@dataclass(frozen=True)
class Go:
    """One Go program at work on one module; what it says goes to the log."""

    program: Path
    module: Path
    log: Path
    cgo: bool = False

    def run(self, arguments: Sequence[str], progress: Callable[[list[str]], None]) -> list[str]:
        """The lines that `go arguments…` wrote, shown to `progress` as they come; ends with this process, however that ends."""
        self.log.write_text("")
        command: list[str | Path] = [self.program, "-C", self.module, *arguments]
        with Children() as children:
            environment = os.environ | ENVIRONMENT | {"CGO_ENABLED": str(int(self.cgo))}
            child = children.start("go", command, self.log, environment)
            while child.running:
                progress(self._lines())
                time.sleep(POLL_SECONDS)
        if child.code != 0:
            raise DevclusterError(f"go {arguments[0]} failed:\n{_problems(self._lines())}")
        return self._lines()

    def _lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()


def _problems(lines: list[str]) -> str:
    """What Go complains about, which has spaces; the names of packages around it have none."""
    return "\n".join(f"    {line}" for line in [line for line in lines if " " in line][-LAST_LINES:])


@dataclass(frozen=True)
class Build:
    """What is compiled, and how."""

    what: str
    """In the words of a person."""
    module: Path
    packages: tuple[str, ...]
    linker_flags: str
    tags: str
    cgo: bool = False
    """With parts in C: a C compiler is needed, and the result depends on this machine's libraries."""


def compile_programs(build: Build, directory: Path) -> None:
    """Download what the module needs and compile its programs into a folder; raises with the end of Go's own words."""
    go = Go(go_program(), build.module, directory / "compile.log", build.cgo)
    options = ["-tags", build.tags]
    total = len(_download(go, build, options))
    progress = Progress()
    go.run(
        ["build", "-v", "-trimpath", *options, "-ldflags", build.linker_flags, "-o", f"{directory}/", *build.packages],
        lambda lines: progress.show(compile_state(build, lines, total)),
    )
    progress.done(f"compiled {build.what}")


def _download(go: Go, build: Build, options: Sequence[str]) -> list[str]:
    """The packages that the programs are made of; asking for them downloads their modules."""
    progress = Progress()
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        try:
            lines = go.run(
                ["list", "-deps", *options, *build.packages], lambda lines: progress.show(download_state(build, lines))
            )
        except DevclusterError as error:
            if attempt == DOWNLOAD_ATTEMPTS:
                raise DevclusterError(
                    f"{error}\nGo needs its module proxy; `go env GOPROXY` says which, and it must be reachable."
                ) from error
        else:
            progress.done(f"the source of {build.what} is here")
            return [line for line in lines if not line.startswith("go: ")]
    raise AssertionError("the last attempt returns or raises")


def download_state(build: Build, lines: Sequence[str]) -> str:
    """How far the downloads are, from what `go list` has written."""
    downloads = [line.split()[2] for line in lines if line.startswith("go: downloading")]
    if not downloads:
        return f"looking for the source of {build.what}"
    return f"downloading the source of {build.what}: {len(downloads)} modules, now {downloads[-1]}"


def compile_state(build: Build, packages: Sequence[str], total: int) -> str:
    """How far the compiler is, from what `go build -v` has written."""
    if packages and packages[-1] in build.packages:
        return f"linking {build.what}"
    return f"compiling {build.what}: {len(packages)}/{total} packages"
