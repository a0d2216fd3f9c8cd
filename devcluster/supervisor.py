"""The background process of `make up`: starts everything, says so, keeps it running, and ends it on SIGTERM.

Its standard output goes to the `make up` that waits for it, until everything is ready.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from typing import NoReturn

from devcluster.access import Access
from devcluster.binary import control_plane_binary
from devcluster.cluster import ControlPlane
from devcluster.errors import DevclusterError
from devcluster.folder import Folder
from devcluster.install import install
from devcluster.kubectl import kubectl_program
from devcluster.programs import Programs
from devcluster.settings import UpSettings

LOOK_SECONDS = 1.0


def supervise(folder: Folder, settings: UpSettings) -> NoReturn:
    """Runs until SIGTERM; raises when something does not start, or when the control plane ends by itself."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with folder.held(), ExitStack() as everything:
        folder.clear()
        everything.callback(folder.clear)
        cluster = _start_control_plane(folder, everything) if settings.kubeconfig is None else None
        access = cluster.access if cluster else _existing(folder, settings)
        _say("installing the CRDs, the ServiceAccounts and their roles")
        install(access)
        _say("starting the programs")
        programs = everything.enter_context(Programs.launch(access, folder.logs, settings.programs))
        _hand_over(folder, access, programs)
        _keep_running(cluster, programs)


def _start_control_plane(folder: Folder, everything: ExitStack) -> ControlPlane:
    _say("starting the control plane")
    return everything.enter_context(ControlPlane.launch(folder.cluster, logs=folder.logs))


def _existing(folder: Folder, settings: UpSettings) -> Access:
    assert settings.kubeconfig is not None  # noqa: S101  (asked before)
    _say(f"using the cluster of {settings.kubeconfig}; what is installed there stays when this ends")
    folder.cluster.mkdir(mode=0o700)
    return Access(settings.kubeconfig, folder.cluster)


def _hand_over(folder: Folder, access: Access, programs: Programs) -> None:
    """Everything is ready: leave what a person needs, and let the `make up` that waits go on."""
    folder.write_commands(kubectl_program(), control_plane_binary())
    variables = {"KUBECONFIG": str(access.kubeconfig), "KUBECACHEDIR": str(access.kubectl_cache)}
    folder.write_environment(variables | programs.url_variables())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _keep_running(cluster: ControlPlane | None, programs: Programs) -> NoReturn:
    """As in a cluster, a program that ends is started again; its log says why it ended."""
    while True:
        time.sleep(LOOK_SECONDS)
        if cluster:
            cluster.require_running()
        for name in programs.ended():
            _say(f"{name} has ended, and is started again")
            try:
                programs.restart(name)
            except DevclusterError as error:
                _say(str(error))


def _say(line: str) -> None:
    print(line, flush=True)
