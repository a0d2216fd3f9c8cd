"""The parent of several processes: real ones, which do nothing but give signs of life."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.waiting import eventually

PROCESSES = 2
LOOK_SECONDS, MOST_SILENT_LOOKS = 0.05, 20
SILENT_SECONDS = LOOK_SECONDS * MOST_SILENT_LOOKS
PARENT = f"""
import contextlib, pathlib, sys, time
from token_service import processes
from token_service.metrics.gauges import Gauges

gauges, mark = Gauges({PROCESSES}, {{}}), pathlib.Path(sys.argv[1])

def work(number, parent_lives):
    gauges.of_process(number)
    with contextlib.suppress(FileExistsError):
        mark.touch(exist_ok=False)
        time.sleep(3600)
    while True:
        gauges.write(ready=True)
        time.sleep({LOOK_SECONDS / 5})

processes.LOOK_SECONDS, processes.MOST_SILENT_LOOKS, processes.RESTART_SECONDS = {LOOK_SECONDS}, {MOST_SILENT_LOOKS}, 0.0
processes.Processes({PROCESSES}, work, gauges.beat, gauges.silence).run()
"""


@contextmanager
def running(mark: Path, begin: str = 'exec "$@"') -> Iterator[subprocess.Popen[bytes]]:
    """The parent, begun by this shell script; all that it has started ends with the block."""
    command = ["sh", "-c", begin, "sh", sys.executable, "-c", PARENT, str(mark)]
    with subprocess.Popen(command, start_new_session=True) as parent:
        try:
            eventually("all are there", lambda: len(children(parent)) >= PROCESSES)
            yield parent
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """While this file is not there, one process hangs and makes it."""
    return tmp_path / "hung"


@pytest.fixture
def parent(mark: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Of processes that all work."""
    mark.touch()
    with running(mark) as parent:
        yield parent


def children(parent: subprocess.Popen[bytes]) -> list[int]:
    """The processes that it has now, its own and others."""
    return [int(one) for one in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]


def replaced(parent: subprocess.Popen[bytes], one: int) -> list[int]:
    """Its processes as soon as this one is none of them, and another is."""
    return eventually(
        "it is replaced", lambda: children(parent), lambda now: len(now) == PROCESSES and one not in now, within=20
    )


def test_a_process_that_hangs_is_replaced(parent: subprocess.Popen[bytes]) -> None:
    """It does not end by itself, nor when it is asked to. The others go on."""
    victim, other = children(parent)
    os.kill(victim, signal.SIGSTOP)
    assert other in replaced(parent, victim)


def test_a_process_that_never_gives_a_sign_of_life_is_replaced(mark: Path) -> None:
    """It may hang before it begins."""
    with running(mark) as parent:
        eventually("one hangs", mark.exists)
        before = children(parent)
        after = eventually("it is replaced", lambda: children(parent), lambda now: len(now) == len(before) and now != before)
        assert len(set(before) & set(after)) == PROCESSES - 1
        time.sleep(1.5 * SILENT_SECONDS)
        assert children(parent) == after


def test_processes_that_are_all_held_up_are_not_replaced(parent: subprocess.Popen[bytes]) -> None:
    """As in a container that is paused, or on a machine that sleeps: none of them could give a sign of life."""
    before = children(parent)
    for signal_ in (signal.SIGSTOP, signal.SIGCONT):
        for pid in (parent.pid, *before):
            os.kill(pid, signal_)
        time.sleep(1.5 * SILENT_SECONDS)
    assert children(parent) == before


def test_a_process_that_it_has_not_started_may_end(mark: Path) -> None:
    """The first process of a container adopts what others leave behind there (`kubectl exec`)."""
    mark.touch()
    with running(mark, 'sleep 0.5 & echo $! > "$4.orphan"; exec "$@"') as parent:
        orphan = int(mark.with_suffix(".orphan").read_text())
        eventually("it has ended, and is buried", lambda: not Path(f"/proc/{orphan}").exists())
        eventually("all are there", lambda: len(children(parent)) == PROCESSES)
        victim, other = children(parent)
        os.kill(victim, signal.SIGKILL)
        assert other in replaced(parent, victim)


def test_it_ends_when_it_is_told_to(parent: subprocess.Popen[bytes]) -> None:
    """With all its processes, in a moment."""
    started = children(parent)
    parent.terminate()
    assert parent.wait(10) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
