"""The node as a value: launch it, load images onto it, end it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from devcluster import components
from devcluster.access import Access
from devcluster.binary import control_plane_binary
from devcluster.components import ADMIN, API_SERVER, CONTROLLER_MANAGER, ETCD, Addresses, Layout
from devcluster.kubeconfig import Endpoint
from devcluster.node import janitor
from devcluster.node.base_image import base_image
from devcluster.node.configuration import PAUSE_IMAGE, RUNTIME_SOCKET, write_configuration
from devcluster.node.control_groups import groups_of, make_groups
from devcluster.node.images import ImageStore
from devcluster.node.network import Network, connect
from devcluster.node.programs import node_programs, runtime_programs
from devcluster.node.requirements import require_a_machine_that_can
from devcluster.node.sandbox import HOST_NAME, Sandbox
from devcluster.processes import Child, Children
from devcluster.readiness import answers, wait_until

CONTAINERD = "containerd"
KUBELET = "kubelet"
KUBE_PROXY = "kube-proxy"
SCHEDULER = "kube-scheduler"
USERS = components.USERS | {
    f"system:node:{HOST_NAME}": "system:nodes",
    "system:kube-scheduler": "system:authenticated",
    "system:kube-proxy": "system:authenticated",
}
# The ports are the node's own, since its network is.
ADDRESSES = Addresses(etcd_client=2379, etcd_peer=2380, api_server=6443)
HOLDER = "pause"
NAME_SERVER = "coredns"
NAME_SERVER_IMAGE = "localhost/coredns:1"
IMAGE_OF_ONE_PROGRAM = 'FROM scratch\nCOPY {program} /{program}\nENTRYPOINT ["/{program}"]\n'


def prepare_node() -> None:
    """Make what takes long, unless this machine has it: the programs and the base image."""
    require_a_machine_that_can()
    control_plane_binary()
    node_programs()
    runtime_programs()
    base_image(ImageStore.open())


class Node:
    """A control plane with a node that runs pods, in namespaces of their own.

    They end with `close`, at the end of a `with` block, and in any case with the process that started them; then their folder
    is removed, too.
    """

    def __init__(self, directory: Path) -> None:
        require_a_machine_that_can()
        self.directory = directory.resolve()
        self.images = ImageStore.open()
        self._binary, self._programs, self._runtime = control_plane_binary(), node_programs(), runtime_programs()
        self._layout = Layout(self.directory, self.directory / "log")
        self.control_group = f"agentidp-{os.getpid()}-{self.directory.name}"
        self._tokens = components.prepare(self._layout, USERS)
        self.access = Access(self._layout.admin_kubeconfig, self.directory)
        self._janitor = _start_janitor(self.directory, self.control_group)
        self._children = Children()
        self._components: dict[str, Child] = {}
        self._sandbox: Sandbox | None = None
        self._network: Network | None = None

    @classmethod
    def launch(cls, directory: Path) -> Self:
        """A ready node in a new directory; what it runs is compiled if this machine has none yet."""
        node = cls(directory)
        try:
            node._start_all()
        except BaseException:
            node.close()
            raise
        return node

    @property
    def sandbox(self) -> Sandbox:
        """Return the kernel namespaces of the node."""
        assert self._sandbox is not None  # noqa: S101  (made before anything that asks)
        return self._sandbox

    @property
    def network(self) -> Network:
        """Return the addresses of the node."""
        assert self._network is not None  # noqa: S101  (as above)
        return self._network

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return f"https://{self.network.node}:{ADDRESSES.api_server}"

    @property
    def base_image(self) -> str:
        """What the Dockerfile builds on here: what BASE_IMAGE in the environment names, or what stands in for its own."""
        return os.environ.get("BASE_IMAGE") or base_image(self.images)

    def log(self, name: str) -> Path:
        """The log file of a component."""
        return self._layout.logs / f"{name}.log"

    def provide(self, image: str, context: Path, arguments: Mapping[str, str]) -> None:
        """Build an image, and let pods use it; they say `imagePullPolicy: IfNotPresent`, or Never."""
        self._load(self.images.build(image, context, {"BASE_IMAGE": self.base_image, **arguments}))

    def close(self) -> None:
        """End everything, and remove it."""
        if self._sandbox:
            self._sandbox.end()
        self._children.end_all(seconds=1.0)
        self._janitor.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_all(self) -> None:
        make_groups(self.control_group)
        self._sandbox = Sandbox.start(self._children, self.directory, self._programs / HOLDER)
        self._network = connect(self._sandbox, self._tell_janitor)
        write_configuration(self.directory, self.network, self.control_group)
        self._start_control_plane()
        self._start_node()
        self._start_name_server()

    def _tell_janitor(self, link: str) -> None:
        assert self._janitor.stdin is not None  # noqa: S101  (asked for as a pipe)
        self._janitor.stdin.write(f"{link}\n".encode())
        self._janitor.stdin.flush()

    def _start_control_plane(self) -> None:
        self._start(ETCD, [self._binary, *components.etcd(self._layout, ADDRESSES)])
        self._start(API_SERVER, [self._binary, *components.api_server(self._layout, ADDRESSES, *self._api_server_flags())])
        self._start(CONTAINERD, [self._runtime / CONTAINERD, f"--config={self.directory / 'containerd.toml'}"], self._path())
        wait_until(lambda: answers(f"{self.server}/readyz"), self._components[API_SERVER])
        endpoint = Endpoint(self.server, self._layout.certificate_authority.read_bytes())
        endpoint.write_kubeconfig(self._layout.admin_kubeconfig, self._tokens[ADMIN])
        for user, token in self._tokens.items():
            endpoint.write_kubeconfig(self._kubeconfig(user), token)

    def _start_node(self) -> None:
        every_controller = components.controller_manager(self._layout, ["*"])
        self._start(CONTROLLER_MANAGER, [self._binary, *every_controller, f"--cluster-cidr={self.network.pods}"])
        kubenode = self._programs / "kubenode"
        scheduler = f"--kubeconfig={self._kubeconfig('system:kube-scheduler')}"
        self._start(SCHEDULER, [kubenode, SCHEDULER, scheduler, "--leader-elect=false", "--bind-address=127.0.0.1"])
        self._wait_for_containerd()
        self._start(KUBELET, [kubenode, KUBELET, *self._kubelet_flags()], self._path())
        self._start(KUBE_PROXY, [kubenode, KUBE_PROXY, f"--config={self.directory / 'kube-proxy.json'}"])
        for image, program in {PAUSE_IMAGE: HOLDER, NAME_SERVER_IMAGE: NAME_SERVER}.items():
            self._load_program(image, program)
        wait_until(lambda: self._has("get", "node", HOST_NAME), self._components[KUBELET])
        self.access.kubectl("wait", "--for=condition=Ready", f"node/{HOST_NAME}", "--timeout=60s")

    def _start_name_server(self) -> None:
        manifest = (Path(__file__).parent / "coredns.yaml").read_text()
        self.access.kubectl("apply", "--filename=-", input=manifest.replace("NAME_SERVER", self.network.name_server))
        self.access.kubectl("rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=60s")

    def _start(self, name: str, command: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
        child = self._children.start(name, self.sandbox.command(*command), self.log(name), environment)
        self._components[name] = child

    def _load_program(self, image: str, program: str) -> None:
        recipe = self.directory / "Dockerfile"
        recipe.write_text(IMAGE_OF_ONE_PROGRAM.format(program=program))
        self._load(self.images.build(image, self._programs, dockerfile=recipe))

    def _load(self, image: str) -> None:
        archive = self.images.write_archive(image, self.directory / "image.tar")
        self.sandbox.run(self._runtime / "ctr", "--namespace=k8s.io", "images", "import", archive)
        archive.unlink()

    def _wait_for_containerd(self) -> None:
        command = self.sandbox.command(self._runtime / "ctr", f"--address={RUNTIME_SOCKET}", "version")
        wait_until(
            lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0, self._components[CONTAINERD]
        )

    def _has(self, *arguments: str) -> bool:
        return self.access.kubectl(*arguments, check=False).returncode == 0

    def _api_server_flags(self) -> list[str]:
        return [
            "--bind-address=0.0.0.0",
            f"--advertise-address={self.network.node}",
            f"--service-cluster-ip-range={self.network.services}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--kubelet-client-certificate={self.directory / 'api-server.crt'}",
            f"--kubelet-client-key={self.directory / 'api-server.key'}",
            "--kubelet-preferred-address-types=InternalIP",
        ]

    def _kubelet_flags(self) -> list[str]:
        return [
            f"--config={self.directory / 'kubelet.json'}",
            f"--kubeconfig={self._kubeconfig(f'system:node:{HOST_NAME}')}",
            f"--hostname-override={HOST_NAME}",
            f"--node-ip={self.network.node}",
            f"--cert-dir={self.directory / 'kubelet-certificates'}",
        ]

    def _kubeconfig(self, user: str) -> Path:
        return self.directory / f"{user.replace(':', '.')}.kubeconfig"

    def _path(self) -> dict[str, str]:
        """Where containerd finds its shim and runc, and both find the system's own programs."""
        return os.environ | {"PATH": f"{self._runtime}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def _start_janitor(directory: Path, control_group: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(janitor.__file__), directory, *groups_of(control_group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
