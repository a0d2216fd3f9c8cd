"""The command lines of the control plane's three programs, and the files that they share."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"

ADMIN = "admin"
USERS = {ADMIN: "system:masters"}
"""Who may use the API server, and the group of each."""

# The controllers that AgentIdP can notice; the others need nodes.
CONTROLLERS_WITHOUT_NODES = (
    "garbagecollector",
    "namespace",
    "serviceaccount",
    "root-ca-cert-publisher",
    "clusterrole-aggregation",
    "resourcequota",
)


@dataclass(frozen=True)
class Layout:
    """Where one cluster keeps what: everything is under its directory."""

    directory: Path
    logs: Path

    @property
    def etcd_data(self) -> Path:
        """Return the data folder of etcd."""
        return self.directory / "etcd"

    @property
    def certificates(self) -> Path:
        """Return the folder of the API server's certificates."""
        return self.directory / "certificates"

    @property
    def certificate_authority(self) -> Path:
        """What the API server makes for itself at its first start: it signs its serving certificate."""
        return self.certificates / "apiserver.crt"

    @property
    def service_account_key(self) -> Path:
        """Signs the tokens of ServiceAccounts."""
        return self.directory / "service-account.key"

    @property
    def tokens(self) -> Path:
        """The admin's bearer token, as the API server reads it."""
        return self.directory / "tokens.csv"

    @property
    def admin_kubeconfig(self) -> Path:
        """Return the path of the admin's kubeconfig."""
        return self.directory / "kubeconfig"


@dataclass(frozen=True)
class Addresses:
    """The ports of one cluster."""

    etcd_client: int
    etcd_peer: int
    api_server: int

    @property
    def etcd(self) -> str:
        """The client URL of etcd."""
        return f"http://127.0.0.1:{self.etcd_client}"

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return f"https://127.0.0.1:{self.api_server}"


def prepare(layout: Layout, users: Mapping[str, str] = USERS) -> dict[str, str]:
    """Make the directories and keys of a new cluster; the bearer tokens of its users are returned."""
    layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    write_private(layout.service_account_key, _new_key())
    tokens = {user: secrets.token_urlsafe(32) for user in users}
    write_private(layout.tokens, "".join(f'{tokens[user]},{user},{user},"{group}"\n' for user, group in users.items()))
    return tokens


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(content)


def _new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def etcd(layout: Layout, addresses: Addresses) -> list[str]:
    """Losing data with the machine is fine here; waiting for its disk is not.

    It tells of its progress as often as under kubeadm: without that, watches of what never changes get no bookmarks for
    minutes.
    """
    peer = f"http://127.0.0.1:{addresses.etcd_peer}"
    return [
        ETCD,
        f"--data-dir={layout.etcd_data}",
        f"--listen-client-urls={addresses.etcd}",
        f"--advertise-client-urls={addresses.etcd}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--watch-progress-notify-interval=5s",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(layout: Layout, addresses: Addresses, *flags: str) -> list[str]:
    """What real clusters have by default; the flags say what is so with nodes, or without."""
    return [
        API_SERVER,
        f"--etcd-servers={addresses.etcd}",
        f"--secure-port={addresses.api_server}",
        f"--cert-dir={layout.certificates}",
        f"--token-auth-file={layout.tokens}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={layout.service_account_key}",
        f"--service-account-signing-key-file={layout.service_account_key}",
        *flags,
    ]


API_SERVER_WITHOUT_NODES = (
    "--bind-address=127.0.0.1",
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/24",
)


def controller_manager(layout: Layout, controllers: Sequence[str]) -> list[str]:
    """These controllers, as the admin."""
    return [
        CONTROLLER_MANAGER,
        f"--kubeconfig={layout.admin_kubeconfig}",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={layout.certificate_authority}",
        f"--service-account-private-key-file={layout.service_account_key}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
