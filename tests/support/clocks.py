"""Clocks that a test sets: for an object that is given one, and for a program that runs."""

from datetime import timedelta
from pathlib import Path

_AT_START = """
import datetime
from pathlib import Path

from agent_operator import clock

right_now = clock.now
clock.now = lambda: right_now() + datetime.timedelta(seconds=float(Path({offset!r}).read_text()))
"""


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Whoever waits moves the clock."""
        self.now += seconds


class ProgramClock:
    """Right, until it is set: as far off as a file says."""

    def __init__(self, directory: Path) -> None:
        self._offset = directory / "offset"
        self.set()
        (directory / "sitecustomize.py").write_text(_AT_START.format(offset=str(self._offset)))
        self.environment = {"PYTHONPATH": str(directory)}
        """With these variables the operator starts with this clock: Python runs `sitecustomize` before anything else."""

    def set(self, ahead: timedelta = timedelta()) -> None:
        """So far ahead of the right time, or behind it; at once."""
        new = self._offset.with_suffix(".new")
        new.write_text(str(ahead.total_seconds()))
        new.replace(self._offset)
