"""What the programs of a node are told: their configuration files, each made for one node. JSON is YAML."""

import datetime
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devcluster.components import write_private
from devcluster.node.network import Network
from devcluster.node.requirements import NETWORK_PLUGINS
from devcluster.node.sandbox import HOST_NAME

RUNTIME_SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/pause:1"
CLUSTER_DOMAIN = "cluster.local"
LIFETIME = datetime.timedelta(days=365)

# restrict_oom_score_adj: without CAP_SYS_RESOURCE nobody may make the kernel spare a process.
CONTAINERD = """version = 3
root = "{directory}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{directory}/network"
"""


def write_configuration(directory: Path, network: Network, control_group: str) -> None:
    """All files, into the node's folder."""
    (directory / "network").mkdir()
    containerd = CONTAINERD.format(directory=directory, socket=RUNTIME_SOCKET, pause=PAUSE_IMAGE, plugins=NETWORK_PLUGINS)
    (directory / "containerd.toml").write_text(containerd)
    (directory / "resolv.conf").write_text(f"nameserver {network.name_server}\n")
    write_client_certificate(directory)
    _write(directory / "network" / "10-pods.conflist", pod_network(network))
    _write(directory / "kubelet.json", kubelet(directory, network, control_group))
    _write(directory / "kube-proxy.json", kube_proxy(directory, network))


def pod_network(network: Network) -> dict[str, Any]:
    """A bridge on the node. It enforces no NetworkPolicy."""
    addresses = {"type": "host-local", "ranges": [[{"subnet": network.pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "hairpinMode": True, "ipam": addresses}
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def kubelet(directory: Path, network: Network, control_group: str) -> dict[str, Any]:
    """Quick to notice changes, and content with what this machine allows."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{control_group}",
        "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
        "address": network.node,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(directory / "api-server.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [network.name_server],
        "resolvConf": str(directory / "resolv.conf"),
        "failSwapOn": False,
        "podLogsDir": "/var/log/pods",
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusReportFrequency": "10s",
        "syncFrequency": "2s",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "enforceNodeAllocatable": ["pods"],
        "protectKernelDefaults": True,
        "oomScoreAdj": 0,
        "maxPods": 60,
    }


def kube_proxy(directory: Path, network: Network) -> dict[str, Any]:
    """By nftables; conntrack's settings belong to the whole machine and stay as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": HOST_NAME,
        "clusterCIDR": network.pods,
        "bindAddress": network.node,
        "clientConnection": {"kubeconfig": str(directory / "system.kube-proxy.kubeconfig")},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "nodePortAddresses": [f"{network.node}/32"],
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def write_client_certificate(directory: Path) -> None:
    """By which the kubelet knows the API server: it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver"),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - LIFETIME, now + LIFETIME)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.TraditionalOpenSSL
    encoded = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    write_private(directory / "api-server.key", encoded.decode())
    (directory / "api-server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
