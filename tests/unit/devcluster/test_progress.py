"""Progress: what a terminal and a log show during a compilation."""

import io
from pathlib import Path

from devcluster.compilation import Build, compile_state, download_state
from devcluster.progress import Progress

BUILD = Build("the node", Path("node"), ("node/kubenode", "node/pause"), linker_flags="", tags="")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_progress_rewrites_one_line_on_a_terminal() -> None:
    """Each state replaces the one before."""
    terminal = Terminal()
    progress = Progress(terminal)
    progress.show("compiling: 1/2 packages")
    progress.show("compiling: 2/2 packages")
    assert terminal.getvalue() == "\r\x1b[Kcompiling: 1/2 packages\r\x1b[Kcompiling: 2/2 packages"


def test_progress_writes_a_line_every_few_seconds_to_a_log() -> None:
    """Thousands of states do not make thousands of lines."""
    log = io.StringIO()
    progress = Progress(log)
    for number in range(1000):
        progress.show(f"compiling: {number}/1000 packages")
    progress.done("compiled")
    assert log.getvalue() == "compiling: 0/1000 packages\ncompiled (0.0 s)\n"


def test_progress_counts_downloads() -> None:
    """From the lines that Go writes."""
    lines = ["go: downloading k8s.io/api v0.36.3", "go: downloading k8s.io/client-go v0.36.3"]
    assert download_state(BUILD, lines) == "downloading the source of the node: 2 modules, now k8s.io/client-go"


def test_progress_counts_packages_until_linking() -> None:
    """Linking takes long enough to be named."""
    assert compile_state(BUILD, ["k8s.io/api/core/v1"], 2) == "compiling the node: 1/2 packages"
    assert compile_state(BUILD, ["k8s.io/api/core/v1", "node/pause"], 2) == "linking the node"
