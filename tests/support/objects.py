"""The objects of a cluster over HTTP, by kind and name, as one identity.

A poll takes milliseconds here, where kubectl takes a tenth of a second. What people type is tested with kubectl itself.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

from tests.support.connection import connect
from tests.support.crd_schema import Manifest

OURS = "apis/idp.sentryagent.ai/v1alpha1"
COLLECTIONS = {
    "Agent": (OURS, "agents"),
    "AgentCredential": (OURS, "agentcredentials"),
    "Organization": (OURS, "organizations"),
    "PendingChange": (OURS, "pendingchanges"),
    "TokenRevocation": (OURS, "tokenrevocations"),
    "ConfigMap": ("api/v1", "configmaps"),
    "Event": ("apis/events.k8s.io/v1", "events"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "Namespace": ("api/v1", "namespaces"),
    "ResourceQuota": ("api/v1", "resourcequotas"),
    "Secret": ("api/v1", "secrets"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
}


class Change(NamedTuple):
    """What a watch tells: ADDED, MODIFIED or DELETED, and the object."""

    type: str
    object: Manifest


class Objects:
    """Everything that an identity may read and write."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = connect(kubeconfig)

    @property
    def bearer(self) -> str:
        """The token by which the API server knows this identity."""
        return str(self._client.headers["Authorization"]).removeprefix("Bearer ")

    def find(self, kind: str, name: str, namespace: str = "") -> Manifest | None:
        """The object, or None where there is none."""
        response = self._client.get(path_of(kind, namespace, name))
        return None if response.status_code == HTTPStatus.NOT_FOUND else _body(response)

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        """The object, which must be there."""
        return _body(self._client.get(path_of(kind, namespace, name)))

    def list(self, kind: str, namespace: str = "") -> list[Manifest]:
        """All objects of a kind, in one namespace or in all."""
        items: list[Manifest] = _body(self._client.get(path_of(kind, namespace)))["items"]
        return items

    def create(self, manifest: Manifest, namespace: str = "") -> Manifest:
        """Create it; the object as it is stored."""
        return _body(self._client.post(path_of(manifest["kind"], namespace), json=manifest))

    def change(self, kind: str, name: str, changes: Manifest, namespace: str = "", subresource: str = "") -> Manifest:
        """As `kubectl patch --type=merge` does; None removes a field."""
        path = path_of(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        headers = {"Content-Type": "application/merge-patch+json"}
        return _body(self._client.patch(path, json=changes, headers=headers))

    def remove(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete it, and do not wait."""
        _body(self._client.delete(path_of(kind, namespace, name)))

    @contextmanager
    def watch(self, kind: str, namespace: str) -> Iterator[Iterator[Change]]:
        """The changes of a kind from now on; all that were there are told first. It has begun when the block does."""
        params = {"watch": "true", "timeoutSeconds": "300"}
        with self._client.stream("GET", path_of(kind, namespace), params=params, timeout=300) as response:
            response.raise_for_status()
            yield (Change(**json.loads(line)) for line in response.iter_lines())

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Whatever the API server answers."""
        return self._client.request(method, path, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def path_of(kind: str, namespace: str = "", name: str = "") -> str:
    """The URL path of an object, or of all of a kind."""
    base, plural = COLLECTIONS[kind]
    parts = [base, f"namespaces/{namespace}" if namespace else "", plural, name]
    return "/" + "/".join(part for part in parts if part)


def _body(response: httpx.Response) -> Manifest:
    assert response.is_success, f"{response.request.method} {response.request.url.path}: {response.text}"
    body: Manifest = response.json()
    return body
