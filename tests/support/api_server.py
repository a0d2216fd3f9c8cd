"""The API server over HTTP, for tests that ask it hundreds of questions: milliseconds each, where kubectl takes far longer.

What lives here sends resources of our kinds and tells the answer. It asserts nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.connection import connect
from tests.support.crd_schema import Manifest, crds

NAMESPACE = "default"


@dataclass(frozen=True)
class Answer:
    """What the API server said to a write: its message if it refused, else the resource as it is now."""

    accepted: bool
    message: str
    resource: Manifest


class ApiServer:
    """A connection with the identity of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = connect(kubeconfig)
        self._client.params = httpx.QueryParams(fieldValidation="Strict")

    def create(self, resource: Manifest, *, dry_run: bool = False) -> Answer:
        """Create a resource; its status is not written with it."""
        return self._write("POST", collection(resource), resource, "application/json", dry_run=dry_run)

    def merge(self, resource: Manifest, changes: Manifest) -> Answer:
        """Change what exists as `kubectl patch --type=merge` does; None removes a field."""
        return self._write("PATCH", location(resource), changes, "application/merge-patch+json", dry_run=False)

    def set_status(self, resource: Manifest, status: object, *, dry_run: bool = False) -> Answer:
        """Replace the whole status of what exists."""
        operations = [{"op": "add", "path": "/status", "value": status}]
        path = f"{location(resource)}/status"
        return self._write("PATCH", path, operations, "application/json-patch+json", dry_run=dry_run)

    def delete(self, resource: Manifest) -> None:
        """Delete what exists."""
        self._client.delete(location(resource)).raise_for_status()

    def select(self, kind: str, field_selector: str) -> list[Manifest]:
        """The resources of a kind that have a field's value."""
        response = self._client.get(collection({"kind": kind}), params={"fieldSelector": field_selector})
        items: list[Manifest] = response.raise_for_status().json()["items"]
        return items

    def published_schema(self, kind: str) -> dict[str, Any]:
        """The schema that the API server publishes: `kubectl explain` reads it."""
        group = crds()[kind]["spec"]["group"]
        schemas = self._client.get(f"/openapi/v3/apis/{group}/v1alpha1").raise_for_status().json()["components"]["schemas"]
        (schema,) = (schema for name, schema in schemas.items() if name.endswith(f".{kind}"))
        found: dict[str, Any] = schema
        return found

    def _write(self, method: str, path: str, body: object, content_type: str, *, dry_run: bool) -> Answer:
        params = {"dryRun": "All"} if dry_run else {}
        response = self._client.request(method, path, json=body, params=params, headers={"Content-Type": content_type})
        answer = response.json()
        return Answer(response.is_success, answer.get("message", ""), answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def collection(resource: Manifest) -> str:
    """The URL path of all resources of a kind in the tests' namespace."""
    spec = crds()[resource["kind"]]["spec"]
    scope = f"namespaces/{NAMESPACE}/" if spec["scope"] == "Namespaced" else ""
    return f"/apis/{spec['group']}/v1alpha1/{scope}{spec['names']['plural']}"


def location(resource: Manifest) -> str:
    """The URL path of a resource."""
    return f"{collection(resource)}/{resource['metadata']['name']}"
