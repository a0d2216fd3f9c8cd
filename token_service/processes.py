"""Several processes on one port, for machines with more cores: forked from one parent that does nothing but watch them.

They share the listening socket, so whichever is idle takes the next connection. One that ends is started again, and one that
gives no sign of life is ended before; all of them end when the parent does, however it ends.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

RESTART_SECONDS = 1.0
LOOK_SECONDS = 1.0
MOST_SILENT_LOOKS = 30
"""Looks are counted, not seconds: what holds up all processes, such as a container that is paused, holds up the parent, too."""
AWAITED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM)

log = structlog.get_logger()


@dataclass
class Child:
    """What the parent has seen of a process: its last sign of life, and how often it has looked since then in vain."""

    number: int
    beat: float = 0.0
    silent_looks: int = 0

    def look(self, beat: float) -> None:
        """Once more; this is its last sign of life now."""
        self.silent_looks = self.silent_looks + 1 if beat == self.beat else 0
        self.beat = beat


class Processes:
    """The parent's view of its children."""

    def __init__(
        self,
        count: int,
        work: Callable[[int, int], None],
        beat: Callable[[int], float],
        ended: Callable[[int], None],
    ) -> None:
        """`work` is given a process's number, and a file descriptor that ends when the parent has.

        `beat` tells the moment of a process's last sign of life, and `ended` is told that one has ended.
        """
        self._count = count
        self._work = work
        self._beat = beat
        self._ended = ended
        self._children: dict[int, Child] = {}
        self._stopping = False
        self._parent_lives, self._held_open = os.pipe()

    def run(self) -> None:
        """Until SIGTERM or SIGINT, and the end of all processes."""
        signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)  # each waits until it is asked for, so none interrupts another
        signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
        for number in range(self._count):
            self._start(number)
        while self._children:
            self._wait()

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._be(number)
        self._children[pid] = Child(number)

    def _be(self, number: int) -> None:
        """The child's whole life."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
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
        match signal.sigwait(AWAITED):
            case signal.SIGALRM:
                self._look()
            case signal.SIGTERM | signal.SIGINT:
                self._stop()
        self._bury()

    def _look(self) -> None:
        """A process that hangs would never end, and none of the others can answer for it."""
        for pid, child in self._children.items():
            child.look(self._beat(child.number))
            if child.silent_looks == MOST_SILENT_LOOKS:
                log.error("a process gives no sign of life and is ended", number=child.number)
                os.kill(pid, signal.SIGKILL)

    def _bury(self) -> None:
        """All that have ended. Not all are our own: the first process of a container adopts whatever has lost its parent."""
        with suppress(ChildProcessError):  # none is left
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = ended
                if child := self._children.pop(pid, None):
                    self._replace(child, os.waitstatus_to_exitcode(status))

    def _replace(self, child: Child, status: int) -> None:
        self._ended(child.number)
        if not self._stopping:
            log.error("a process ended and is started again", number=child.number, status=status)
            time.sleep(RESTART_SECONDS)
            self._start(child.number)

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
