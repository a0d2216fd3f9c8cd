"""Several processes on one port, for machines with more cores: forked from one parent that does nothing but watch them.

They share the listening socket, so whichever is idle takes the next connection. One that ends is started again; all of them
end when the parent does, however it ends.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

RESTART_SECONDS = 1.0

log = structlog.get_logger()


class Processes:
    """The parent's view of its children."""

    def __init__(self, count: int, work: Callable[[int, int], None], ended: Callable[[int], None]) -> None:
        """`work` is given a process's number, and a file descriptor that ends when the parent has."""
        self._count = count
        self._work = work
        self._ended = ended
        self._numbers: dict[int, int] = {}
        self._stopping = False
        self._parent_lives, self._held_open = os.pipe()

    def run(self) -> None:
        """Until SIGTERM or SIGINT, and the end of all processes."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._stop)
        for number in range(self._count):
            self._start(number)
        while self._numbers:
            self._wait()

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._be(number)
        self._numbers[pid] = number
        if self._stopping:  # the signal came while it was made
            os.kill(pid, signal.SIGTERM)

    def _be(self, number: int) -> None:
        """The child's whole life."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)
        os.close(self._held_open)
        status = 1
        try:
            self._work(number, self._parent_lives)
            status = 0
        except Exception:
            log.exception("a process failed", number=number)
        finally:
            os._exit(status)

    def _wait(self) -> None:
        pid, status = os.wait()
        number = self._numbers.pop(pid)
        self._ended(number)
        if not self._stopping:
            log.error("a process ended and is started again", number=number, status=os.waitstatus_to_exitcode(status))
            time.sleep(RESTART_SECONDS)
            self._start(number)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._numbers:
            os.kill(pid, signal.SIGTERM)
