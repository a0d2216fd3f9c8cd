"""Example programs in other languages, run as a person would run them; nothing is written into the checkout."""

import sys
from collections.abc import Callable
from pathlib import Path

from devcluster.compilation import Go
from devcluster.toolchains.go import go_program
from devcluster.toolchains.node import node_command

Command = list[str | Path]


def prepared(folder: Path, directory: Path) -> Command:
    """What runs the program in the folder, which is named after its language; what that needs is made in the directory."""
    return LANGUAGES[folder.name](folder, directory)


def _python(folder: Path, _: Path) -> Command:
    return [sys.executable, folder / "main.py"]


def _node(folder: Path, directory: Path) -> Command:
    return node_command(folder / "main.mjs", directory)


def _go(folder: Path, directory: Path) -> Command:
    """Built with the settings of the control plane, so that the compiler has done most of it before."""
    program = directory / "program"
    Go(go_program(), folder, directory / "go.log").run(["build", "-trimpath", "-o", str(program), "."], lambda _: None)
    return [program]


LANGUAGES: dict[str, Callable[[Path, Path], Command]] = {"python": _python, "node": _node, "go": _go}
