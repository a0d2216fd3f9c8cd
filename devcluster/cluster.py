"""The control plane as a value: start it, use it, stop and start its parts, end it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from devcluster import components
from devcluster.binary import control_plane_binary
from devcluster.components import API_SERVER, CONTROLLER_MANAGER, ETCD, Addresses, Layout
from devcluster.identities import write_identity
from devcluster.kubeconfig import Endpoint
from devcluster.kubectl import Kubectl
from devcluster.ports import ReservedPort
from devcluster.processes import Child, Children
from devcluster.readiness import answers, wait_until

# The API server's own graceful end waits up to a minute for its watchers; nothing here needs it.
STOP_SECONDS = 1.0


class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager on loopback ports, everything they keep in one directory.

    They end with `close`, at the end of a `with` block, and in any case with the process that started them.
    """

    def __init__(self, directory: Path, binary: Path, api_server_flags: Sequence[str]) -> None:
        self.layout = Layout(directory.resolve())
        self.children = Children()
        self._binary = binary
        self._ports = [ReservedPort() for _ in range(3)]
        self.addresses = Addresses(*(port.number for port in self._ports))
        self._admin_token = components.prepare(self.layout)
        self._commands = {
            ETCD: components.etcd(self.layout, self.addresses),
            API_SERVER: [*components.api_server(self.layout, self.addresses), *api_server_flags],
            CONTROLLER_MANAGER: components.controller_manager(self.layout),
        }
        self._ready: dict[str, Callable[[], bool]] = {
            ETCD: lambda: answers(f"{self.addresses.etcd}/health"),
            API_SERVER: lambda: answers(f"{self.server}/readyz"),
            CONTROLLER_MANAGER: self._controllers_work,
        }
        self._components: dict[str, Child] = {}
        self.kubectl = Kubectl(self.kubeconfig, self.layout.kubectl_cache)

    @classmethod
    def launch(cls, directory: Path, api_server_flags: Sequence[str] = ()) -> Self:
        """A running, ready cluster in a new directory; the binary is compiled if this machine has none yet."""
        cluster = cls(directory, control_plane_binary(), api_server_flags)
        try:
            cluster._start_all()
        except BaseException:
            cluster.close()
            raise
        return cluster

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.addresses.server

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig. Programs get `identity` instead."""
        return self.layout.admin_kubeconfig

    @property
    def endpoint(self) -> Endpoint:
        """Where and how the API server is reached."""
        return Endpoint(self.server, self.layout.certificate_authority.read_bytes())

    def identity(self, namespace: str, service_account: str) -> Path:
        """A kubeconfig with a bound token of that ServiceAccount, which must exist."""
        return write_identity(self.kubectl, self.endpoint, self.layout.identities, namespace, service_account)

    def kubectl_as(self, namespace: str, service_account: str) -> Kubectl:
        """kubectl with the rights of that ServiceAccount."""
        return Kubectl(self.identity(namespace, service_account), self.layout.kubectl_cache)

    def component(self, name: str) -> Child:
        """The running process of a component: its pid, its log, signals."""
        return self._components[name]

    def log(self, name: str) -> Path:
        """The log file of a component, over all its starts."""
        return self.layout.logs / f"{name}.log"

    def start(self, name: str) -> None:
        """Start a component and wait until it is ready; same port, same data."""
        child = self.children.start(name, [self._binary, *self._commands[name]], self.log(name))
        self._components[name] = child
        wait_until(self._ready[name], child)

    def stop(self, name: str) -> None:
        """End a component; its data and its port stay."""
        self.children.end(self._components.pop(name), STOP_SECONDS)

    def close(self) -> None:
        """End everything; the directory stays."""
        self.children.end_all(STOP_SECONDS)
        for port in self._ports:
            port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_all(self) -> None:
        self.start(ETCD)
        self.start(API_SERVER)
        self.endpoint.write_kubeconfig(self.kubeconfig, self._admin_token)
        self.start(CONTROLLER_MANAGER)

    def _controllers_work(self) -> bool:
        """It has no port to ask, but every namespace gets a ServiceAccount from it."""
        return self.kubectl("get", "serviceaccount", "default", "--namespace=default", check=False).returncode == 0
