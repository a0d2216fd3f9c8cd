"""A program that starts a node and then only lives, so that a test can end it in every way; it says when the node is ready."""

import signal
import sys
import threading
from pathlib import Path

from devcluster.node.node import Node


def main() -> None:
    """Serve until killed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    with Node.launch(Path(sys.argv[1])) as node:
        sys.stdout.write(f"{node.network.link}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
