"""The control plane itself: its parts stop and start, it ends with its parent, and two of them do not disturb each other."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, ETCD
from devcluster.errors import DevclusterError
from devcluster.kubectl import Kubectl, KubectlError

ROOT = Path(__file__).parents[3]

ENDINGS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}

Ready = dict[str, Any]


class Parent:
    """Another process with a control plane of its own."""

    def __init__(self, directory: Path) -> None:
        self._mark = f"STARTED_IN={directory}"
        command = [sys.executable, "-m", "tests.support.cluster_parent", str(directory)]
        environment = os.environ | dict([self._mark.split("=", 1)])
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def ready(self) -> Ready:
        """What it says as soon as its control plane is ready."""
        assert self.process.stdout
        ready: Ready = json.loads(self.process.stdout.readline())
        return ready

    def end(self, number: int) -> None:
        """Send the signal and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(timeout=90)

    def left(self) -> list[str]:
        """The command lines of all processes that it has started, in whatever way, and that still run."""
        return [command for command in map(self._command_if_mine, Path("/proc").glob("[0-9]*")) if command]

    def _command_if_mine(self, process: Path) -> str:
        try:
            mine = self._mark.encode() in (process / "environ").read_bytes().split(b"\0")
            return (process / "cmdline").read_text().replace("\0", " ") if mine else ""
        except OSError:
            return ""


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Parent, Ready]]]:
    """One for each way to end, all at the same time."""
    parents = {ending: Parent(tmp_path_factory.mktemp("cluster")) for ending in ENDINGS}
    try:
        yield {ending: (parent, parent.ready()) for ending, parent in parents.items()}
    finally:
        for parent in parents.values():
            parent.process.kill()
            parent.process.wait()


def test_control_planes_side_by_side_are_apart(parents: dict[str, tuple[Parent, Ready]]) -> None:
    """A namespace made in one is in no other."""
    kubeconfigs = [ready["kubeconfig"] for _, ready in parents.values()]
    for kubeconfig in kubeconfigs:
        _kubectl(kubeconfig, "create", "namespace", "made-once")
    assert len({ready["server"] for _, ready in parents.values()}) == len(ENDINGS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_when_the_parent_ends(ending: str, parents: dict[str, tuple[Parent, Ready]]) -> None:
    """However it ends, and even if a component is stopped at that moment and hears nothing."""
    parent, ready = parents[ending]
    assert len(parent.left()) > len(ready["pids"])
    os.kill(ready["pids"][API_SERVER], signal.SIGSTOP)
    parent.end(ENDINGS[ending])
    _wait_until_nothing_is_left(parent)


def test_the_api_server_comes_back_where_it_was(own_cluster: ControlPlane) -> None:
    """Same port, same data; meanwhile connections are refused."""
    server = own_cluster.server
    own_cluster.kubectl("create", "namespace", "kept")
    own_cluster.stop(API_SERVER)
    with pytest.raises(KubectlError, match="refused"):
        own_cluster.kubectl("get", "namespaces")
    own_cluster.start(API_SERVER)
    assert own_cluster.server == server
    assert "kept" in own_cluster.kubectl("get", "namespaces").stdout


def test_etcd_keeps_its_data_over_a_restart(own_cluster: ControlPlane) -> None:
    """Killed, not asked to end."""
    own_cluster.kubectl("create", "namespace", "kept-in-etcd")
    own_cluster.component(ETCD).signal(signal.SIGKILL)
    own_cluster.stop(ETCD)
    own_cluster.start(ETCD)
    assert "/registry/namespaces/kept-in-etcd" in dict(own_cluster.stored())


def test_what_is_stored_is_found_byte_for_byte(own_cluster: ControlPlane) -> None:
    """So a test can search all of etcd for what must not be there."""
    own_cluster.kubectl("create", "configmap", "needle", "--from-literal=key=a-needle-in-etcd", "--namespace=default")
    found = [key for key, value in own_cluster.stored() if b"a-needle-in-etcd" in value]
    assert found == ["/registry/configmaps/default/needle"]


def test_an_identity_is_the_service_account(own_cluster: ControlPlane) -> None:
    """With its rights, not the admin's."""
    own_cluster.kubectl("create", "serviceaccount", "somebody", "--namespace=default")
    kubectl = own_cluster.kubectl_as("default", "somebody")
    assert "system:serviceaccount:default:somebody" in kubectl("auth", "whoami").stdout
    with pytest.raises(KubectlError, match="forbidden"):
        kubectl("get", "secrets")


def test_a_component_that_does_not_start_shows_why(tmp_path: Path) -> None:
    """The end of its log is in the error, and nothing keeps running."""
    with pytest.raises(DevclusterError, match="unknown flag: --no-such-flag"):
        ControlPlane.launch(tmp_path, api_server_flags=["--no-such-flag"])


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Not the one that all tests share: its parts are stopped here."""
    with ControlPlane.launch(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def _kubectl(kubeconfig: str, *arguments: str) -> None:
    Kubectl(Path(kubeconfig), Path(kubeconfig).parent / "kubectl-cache")(*arguments)


def _wait_until_nothing_is_left(parent: Parent, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while left := parent.left():
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)
