"""Kubeconfig files: one cluster, one user with a bearer token."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from devcluster.components import write_private

NAME = "agentidp-dev"


@dataclass(frozen=True)
class Endpoint:
    """An API server and the certificates that prove it."""

    server: str
    certificate_authority: bytes

    def write_kubeconfig(self, path: Path, token: str) -> Path:
        """A self-contained kubeconfig (JSON is YAML), readable by its owner only."""
        authority = base64.b64encode(self.certificate_authority).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": {"server": self.server, "certificate-authority-data": authority}}],
            "users": [{"name": NAME, "user": {"token": token}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
        }
        write_private(path, json.dumps(config, indent=2) + "\n")
        return path
