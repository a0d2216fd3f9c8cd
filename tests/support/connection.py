"""A connection to an API server as one identity. What is sent over it is not its business."""

import base64
import ssl
from pathlib import Path
from typing import Any

import httpx
import yaml


def connect(kubeconfig: Path) -> httpx.Client:
    """With the server and the bearer token of a kubeconfig that `devcluster` wrote."""
    return httpx.Client(**_settings(kubeconfig))


def connect_async(kubeconfig: Path) -> httpx.AsyncClient:
    """The same, for many requests at a time."""
    return httpx.AsyncClient(**_settings(kubeconfig))


def _settings(kubeconfig: Path) -> dict[str, Any]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return {
        "base_url": cluster["server"],
        "headers": {"Authorization": f"Bearer {user['token']}"},
        "verify": ssl.create_default_context(cadata=authority),
        "timeout": 30,
    }
