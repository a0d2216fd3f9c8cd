"""`make up` and `make down`: start the supervisor and wait until everything is ready; end it and leave nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devcluster.binary import control_plane_binary
from devcluster.errors import DevclusterError
from devcluster.folder import Folder
from devcluster.programs import require_known
from devcluster.progress import Progress
from devcluster.settings import UpSettings, read_settings

DOWN_SECONDS = 20.0
POLL_SECONDS = 0.1

CHECKOUT = Path(__file__).resolve().parent.parent


def up(folder: Folder, arguments: Sequence[str]) -> None:
    """Done when everything is ready, which may be so already."""
    settings = read_settings(arguments, os.environ)
    require_known(settings.programs)
    if folder.holder() is not None:
        _already_up(folder, settings)
    else:
        _start(folder, arguments)
    print(_hints(folder))


def down(folder: Folder) -> None:
    """Done when nothing of it is left but the logs."""
    holder = folder.holder()
    if holder is None:
        print("AgentIdP is not up.")
    else:
        _end(folder, holder)
        print("AgentIdP is down.")
    folder.clear()


def _hints(folder: Folder) -> str:
    path = folder.path.relative_to(Path.cwd()) if folder.path.is_relative_to(Path.cwd()) else folder.path
    return f"""
  . {path}/env                                   # KUBECONFIG, AGENTIDP_TOKEN_URL, AGENTIDP_API_URL; kubectl and helm on PATH
  kubectl apply -f examples/quickstart.yaml    # an agent and its credential
  make down                                    # ends it

Logs are in {path}/log, one file a program."""


def _already_up(folder: Folder, settings: UpSettings) -> None:
    while not folder.environment.exists():
        if folder.holder() is None:
            raise DevclusterError("another `make up` was at work in this checkout and has failed")
        time.sleep(POLL_SECONDS)
    print("AgentIdP is up already.")
    if settings.programs:
        print("Its settings are those it was started with: `make down` first to change them.")


def _start(folder: Folder, arguments: Sequence[str]) -> None:
    control_plane_binary()
    progress = Progress()
    _clear_logs(folder)
    supervisor = _spawn(folder, arguments)
    try:
        _relay(supervisor)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise
    if not folder.environment.exists():
        raise DevclusterError(_log(folder).read_text().removeprefix("error: ").rstrip())
    progress.done("AgentIdP is up")


def _clear_logs(folder: Folder) -> None:
    folder.logs.mkdir(parents=True, exist_ok=True)
    for log in folder.logs.glob("*.log"):
        log.unlink()


def _log(folder: Folder) -> Path:
    return folder.logs / "supervisor.log"


def _spawn(folder: Folder, arguments: Sequence[str]) -> subprocess.Popen[str]:
    with _log(folder).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "devcluster", "--folder", folder.path, "supervise", *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def _relay(supervisor: subprocess.Popen[str]) -> None:
    """Print what it says until everything is ready, or it has ended."""
    for line in supervisor.stdout or ():
        print(line, end="", flush=True)


def _end(folder: Folder, holder: int) -> None:
    """SIGTERM, after a while SIGKILL: its children end with it in either case."""
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while folder.holder() == holder:
        if time.monotonic() > deadline:
            os.kill(holder, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
