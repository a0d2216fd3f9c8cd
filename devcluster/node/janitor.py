"""A process of its own that outlives a node by a moment, to remove what the kernel leaves of it: control groups and its folder.

`janitor.py FOLDER …` waits for the end of its standard input, which comes when the parent closes it or dies in whatever way.
Then it removes the folders, and the links that its standard input has named: the kernel would keep them for minutes, as long as
there are connections of which it waits for the other end. Run by path, so it may import the standard library only.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 120.0
POLL_SECONDS = 0.05
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def main() -> None:
    """Wait for the end, then remove until nothing is left: the node's last processes may still be about to end."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    folders = [Path(name) for name in sys.argv[1:]]
    for link in sys.stdin.read().split():
        subprocess.run(["ip", "link", "delete", link], check=False)
    deadline = time.monotonic() + SECONDS
    while any(folder.exists() for folder in folders) and time.monotonic() < deadline:
        for folder in folders:
            remove(folder)
        time.sleep(POLL_SECONDS)


def remove(folder: Path) -> None:
    """As far as it goes now. Of a control group, the kernel's files go with their folder."""
    if not folder.is_relative_to(CONTROL_GROUPS):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for inner, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(inner).rmdir()


if __name__ == "__main__":
    main()
