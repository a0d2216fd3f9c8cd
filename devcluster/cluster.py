"""The control plane as a value: launch it, use it, stop and start its parts, end it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Self

from devcluster import components
from devcluster.access import Access
from devcluster.binary import control_plane_binary
from devcluster.components import (
    ADMIN,
    API_SERVER,
    API_SERVER_WITHOUT_NODES,
    CONTROLLER_MANAGER,
    CONTROLLERS_WITHOUT_NODES,
    ETCD,
    Addresses,
    Layout,
)
from devcluster.kubeconfig import Endpoint
from devcluster.kubectl import Kubectl
from devcluster.ports import ReservedPort
from devcluster.processes import Child, Children
from devcluster.readiness import answers, wait_until
from devcluster.storage import stored

# The API server's own graceful end waits up to a minute for its watchers; nothing here needs it.
STOP_SECONDS = 1.0


class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager on loopback ports, everything they keep in one directory.

    They end with `close`, at the end of a `with` block, and in any case with the process that started them.
    """

    def __init__(self, layout: Layout, binary: Path, api_server_flags: Sequence[str]) -> None:
        self.layout = layout
        self._binary = binary
        self._ports = [ReservedPort() for _ in range(3)]
        self.addresses = Addresses(*(port.number for port in self._ports))
        self._admin_token = components.prepare(layout)[ADMIN]
        self._commands = {
            ETCD: components.etcd(layout, self.addresses),
            API_SERVER: components.api_server(layout, self.addresses, *API_SERVER_WITHOUT_NODES, *api_server_flags),
            CONTROLLER_MANAGER: components.controller_manager(layout, CONTROLLERS_WITHOUT_NODES),
        }
        self._ready: dict[str, Callable[[], bool]] = {
            ETCD: lambda: answers(f"{self.addresses.etcd}/health"),
            API_SERVER: lambda: answers(f"{self.server}/readyz"),
            CONTROLLER_MANAGER: self._controllers_work,
        }
        self._children = Children()
        self._components: dict[str, Child] = {}
        self.access = Access(layout.admin_kubeconfig, layout.directory)

    @classmethod
    def launch(cls, directory: Path, api_server_flags: Sequence[str] = (), logs: Path | None = None) -> Self:
        """A running, ready cluster in a new directory; the binary is compiled if this machine has none yet."""
        directory = directory.resolve()
        cluster = cls(Layout(directory, logs or directory / "log"), control_plane_binary(), api_server_flags)
        try:
            cluster._start_all()
        except BaseException:
            cluster.close()
            raise
        return cluster

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return self.addresses.server

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig. Programs get `identity` instead."""
        return self.access.kubeconfig

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True) -> CompletedProcess[str]:  # noqa: A002
        """Run kubectl as the admin; KubectlError unless it ends with 0 or `check` is false."""
        return self.access.kubectl(*arguments, input=input, check=check)

    def kubectl_as(self, namespace: str, service_account: str) -> Kubectl:
        """A kubectl with the rights of that ServiceAccount."""
        return self.access.kubectl_as(namespace, service_account)

    def identity(self, namespace: str, service_account: str) -> Path:
        """A kubeconfig with a bound token of that ServiceAccount, which must exist."""
        return self.access.identity(namespace, service_account)

    def stored(self) -> Iterator[tuple[str, bytes]]:
        """Every key and value in etcd."""
        return stored(self.addresses.etcd)

    def component(self, name: str) -> Child:
        """The process of a component: its pid, its log, signals to it."""
        return self._components[name]

    def log(self, name: str) -> Path:
        """The log file of a component, over all its starts."""
        return self.layout.logs / f"{name}.log"

    def start(self, name: str) -> None:
        """Start a component and wait until it is ready; same port, same data."""
        child = self._children.start(name, [self._binary, *self._commands[name]], self.log(name))
        self._components[name] = child
        wait_until(self._ready[name], child)

    def stop(self, name: str) -> None:
        """End a component; its data and its port stay."""
        self._children.end(self._components.pop(name), STOP_SECONDS)

    def require_running(self) -> None:
        """Raise when a component that was not stopped has ended."""
        for child in self._components.values():
            child.require_running()

    def close(self) -> None:
        """End everything; the directory stays."""
        self._children.end_all(STOP_SECONDS)
        for port in self._ports:
            port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_all(self) -> None:
        self.start(ETCD)
        self.start(API_SERVER)
        authority = self.layout.certificate_authority.read_bytes()
        Endpoint(self.server, authority).write_kubeconfig(self.kubeconfig, self._admin_token)
        self.start(CONTROLLER_MANAGER)

    def _controllers_work(self) -> bool:
        """It has no port to ask, but every namespace gets a ServiceAccount from it."""
        return self.kubectl("get", "serviceaccount", "default", "--namespace=default", check=False).returncode == 0
