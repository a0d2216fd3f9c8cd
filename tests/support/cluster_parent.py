"""A program that starts a control plane and then only lives, so that a test can end it in every way.

Prints one JSON line when the control plane is ready: its server and the process ids of its components.
"""

import json
import signal
import sys
import threading
from pathlib import Path

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, CONTROLLER_MANAGER, ETCD


def main() -> None:
    """Serve until killed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    with ControlPlane.launch(Path(sys.argv[1])) as cluster:
        pids = {name: cluster.component(name).pid for name in (ETCD, API_SERVER, CONTROLLER_MANAGER)}
        json.dump({"server": cluster.server, "kubeconfig": str(cluster.kubeconfig), "pids": pids}, sys.stdout)
        sys.stdout.write("\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
