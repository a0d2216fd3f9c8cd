"""An admin's way into a cluster, and from there the way to every other identity. It says nothing about whose cluster it is."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.kubeconfig import Endpoint
from devcluster.kubectl import Kubectl

# Longer than any throw-away cluster lives, so that one left up over a holiday still works: the programs are given their token
# once, in a file, and nobody renews it as a kubelet would. The key that signs it goes with the cluster.
TOKEN_LIFETIME_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Access:
    """The admin's kubeconfig, and a directory for what is made from it."""

    kubeconfig: Path
    directory: Path

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl with the admin's kubeconfig."""
        return Kubectl(self.kubeconfig, self.kubectl_cache)

    @property
    def kubectl_cache(self) -> Path:
        """Of its own, since kubectl keys its cache by address, and ports are used again."""
        return self.directory / "kubectl-cache"

    def endpoint(self) -> Endpoint:
        """Where the kubeconfig's API server is, and its certificate authority."""
        config = json.loads(self.kubectl("config", "view", "--minify", "--raw", "--flatten", "--output=json").stdout)
        cluster = config["clusters"][0]["cluster"]
        if "certificate-authority-data" not in cluster:
            raise DevclusterError(f"{self.kubeconfig} names no certificate authority for {cluster['server']}, which is needed")
        return Endpoint(cluster["server"], base64.b64decode(cluster["certificate-authority-data"]))

    def identity(self, namespace: str, service_account: str) -> Path:
        """The path of a kubeconfig with a bound token of that ServiceAccount, which must exist."""
        directory = self.directory / "identities"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / f"{namespace}.{service_account}.kubeconfig"
        return self.endpoint().write_kubeconfig(path, self._bound_token(namespace, service_account))

    def kubectl_as(self, namespace: str, service_account: str) -> Kubectl:
        """A kubectl with the rights of that ServiceAccount."""
        return Kubectl(self.identity(namespace, service_account), self.kubectl_cache)

    def _bound_token(self, namespace: str, service_account: str) -> str:
        spec = {"expirationSeconds": TOKEN_LIFETIME_SECONDS}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        answer = self.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(request))
        return str(json.loads(answer.stdout)["status"]["token"])
