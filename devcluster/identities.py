"""Kubeconfigs for ServiceAccounts: what a program gets instead of the admin's rights."""

import json
from pathlib import Path

from devcluster.kubeconfig import Endpoint
from devcluster.kubectl import Kubectl

# Longer than any throw-away cluster lives, so that a cluster left up over a week-end still works: the programs are given
# their token once, in a file, and nobody renews it as a kubelet would. The key that signs it goes with the cluster.
TOKEN_LIFETIME = 365 * 24 * 3600


def bound_token(admin: Kubectl, namespace: str, service_account: str) -> str:
    """A token of that ServiceAccount from the TokenRequest API."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": TOKEN_LIFETIME}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
    answer = admin("create", "--raw", path, "-f", "-", input=json.dumps(request))
    return str(json.loads(answer.stdout)["status"]["token"])


def write_identity(admin: Kubectl, endpoint: Endpoint, directory: Path, namespace: str, service_account: str) -> Path:
    """The path of a kubeconfig that is that ServiceAccount."""
    path = directory / f"{namespace}.{service_account}.kubeconfig"
    return endpoint.write_kubeconfig(path, bound_token(admin, namespace, service_account))
