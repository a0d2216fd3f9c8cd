"""Processes that end with the one that started them: on a normal exit, on Ctrl-C, on SIGTERM, and when it is killed with -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from devcluster import watcher
from devcluster.errors import DevclusterError

STOP_SECONDS = 10.0

# The child reports its own process group before it becomes the program, so there is no moment at which it runs unwatched.
_REPORT_AND_RUN = 'echo "+ $$" >&0 && exec "$@" </dev/null'


class Child:
    """One running program in a process group of its own, its output in a log file."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        """The process id, also the process group's."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended; a stopped process (SIGSTOP) runs."""
        return self.code is None

    @property
    def code(self) -> int | None:
        """With what it has ended: an exit code, or the negative number of a signal; None while it runs."""
        return self._popen.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the program alone, such as SIGSTOP or SIGKILL."""
        self._popen.send_signal(number)

    def end(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, after the given seconds SIGKILL; what it has started itself is killed with it."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        watcher.kill(self.pid)

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join(f"    {line}" for line in lines)

    def require_running(self) -> None:
        """Raise with the end of the log when it has ended."""
        if not self.running:
            raise DevclusterError(f"{self.name} ended with code {self.code}; the end of {self.log}:\n{self.last_lines()}")


class Children:
    """What this process started, and the watcher that ends it should this process be gone."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(watcher.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(self, name: str, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> Child:
        """Run a command until `end`; its output is appended to the log."""
        with log.open("ab") as output:
            popen = subprocess.Popen(
                ["/bin/sh", "-c", _REPORT_AND_RUN, name, *command],
                stdin=self._line_to_watcher,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ if environment is None else environment,
                start_new_session=True,
            )
        child = Child(name, popen, log)
        self._children.append(child)
        return child

    def end(self, child: Child, seconds: float = STOP_SECONDS) -> None:
        """End one child and stop watching it, before its number can be given to another process."""
        if child not in self._children:
            return
        child.end(seconds)
        self._children.remove(child)
        self._line_to_watcher.write(f"- {child.pid}\n".encode())
        self._line_to_watcher.flush()

    def end_all(self, seconds: float = STOP_SECONDS) -> None:
        """End every child; all are told before one is waited for."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        for child in reversed(self._children.copy()):
            self.end(child, seconds)
        self._line_to_watcher.close()
        self._watcher.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()

    @property
    def _line_to_watcher(self) -> IO[bytes]:
        assert self._watcher.stdin is not None  # noqa: S101  (asked for as a pipe above)
        return self._watcher.stdin
