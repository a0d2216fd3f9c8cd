"""What a person sees while something takes its time: a line that changes on a terminal, elsewhere a line every few seconds."""

import shutil
import sys
import time
from typing import TextIO

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Shows the state of one longer piece of work on standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._changes_its_line = self._stream.isatty()
        self._next_line_at = 0.0
        self._started = time.monotonic()

    def show(self, state: str) -> None:
        """Say where the work is now; may be called as often as one likes."""
        if self._changes_its_line:
            self._replace_line(state)
        elif time.monotonic() >= self._next_line_at:
            self._write(f"{state}\n")
            self._next_line_at = time.monotonic() + SECONDS_BETWEEN_LINES

    def done(self, outcome: str) -> None:
        """Say how it went, and how long it took."""
        seconds = time.monotonic() - self._started
        if self._changes_its_line:
            self._replace_line("")
        self._write(f"{outcome} ({seconds:.1f} s)\n")

    def _replace_line(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._write(f"\r\x1b[K{text[:width]}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
