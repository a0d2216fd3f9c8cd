"""Where the story is played: shows a command, runs it for real, shows what it printed, and checks what the story claims."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

WIDTH = 118
WAIT_SECONDS = 20.0


class Unexpected(Exception):
    """Something did not turn out as the story says."""


class Stage:
    """Prints for people, in colour on a terminal."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)
        self._environment = os.environ | dict(environment)
        self._scene = 0

    def scene(self, title: str, prose: str) -> None:
        """The next part of the story."""
        self._scene += 1
        self.console.print()
        self.console.rule(f"[bold]{self._scene}. {title}[/bold]", align="left", style="cyan")
        self.console.print(prose, style="dim")

    def run(self, command: str, directory: Path | None = None, shown: Callable[[str], str] = str.strip) -> str:
        """Run a shell command line as shown. Raises Unexpected unless it ends with 0."""
        self.show_command(command)
        printed = self.quiet(command, directory)
        self.show(shown(printed))
        return printed

    def quiet(self, command: str, directory: Path | None = None) -> str:
        """Run a shell command line behind the scenes. Raises Unexpected unless it ends with 0."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=directory, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Unexpected(f"`{command}` ended with {done.returncode}:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def show_command(self, command: str) -> None:
        """A command line, as one would type it."""
        self.console.print(Text.assemble(("$ ", "bold green"), (command, "bold")), soft_wrap=True)

    def show(self, text: str, language: str | None = None) -> None:
        """What a command printed. Lines are never folded: a table is read by its columns."""
        if language:
            self.console.print(Padding(Syntax(text, language, background_color="default"), (0, 0, 0, 2), expand=False))
            return
        for line in text.splitlines():
            self.console.print(Text(f"  {line}"), soft_wrap=True)

    def check(self, claim: str, holds: bool) -> None:
        """The story goes on only if this is so."""
        if not holds:
            raise Unexpected(f"this should be so, and is not: {claim}")
        self.console.print(Text.assemble(("✔ ", "bold green"), claim))

    def wait_until(self, claim: str, holds: Callable[[], bool]) -> None:
        """As `check`, for what takes a moment; says how long it took."""
        started = time.monotonic()
        while not holds():
            if time.monotonic() - started > WAIT_SECONDS:
                raise Unexpected(f"this should be so within {WAIT_SECONDS:.0f} s, and is not: {claim}")
            time.sleep(0.005)
        took = (time.monotonic() - started) * 1000
        self.check(f"{claim} [{took:.0f} ms]", True)
