"""A process of its own that outlives its parent by a moment, to end what the parent started.

Its standard input tells it process groups: `+ 123` to watch one, `- 123` to forget it. When the input ends, because the parent
closed it or died in whatever way, every group still watched is killed. Run by path, so it may import the standard library only.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def watched(lines: Iterable[str]) -> set[int]:
    """The groups that are left when the lines end."""
    groups: set[int] = set()
    for line in lines:
        change, group = line.split()
        (groups.add if change == "+" else groups.discard)(int(group))
    return groups


def kill(group: int) -> None:
    """SIGKILL, since a stopped process hears nothing else."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Watch until the parent is gone, then kill."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    for group in watched(sys.stdin):
        kill(group)


if __name__ == "__main__":
    main()
