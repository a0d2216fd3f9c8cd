"""A home folder with a kubeconfig, and everything that a field of it may name."""

import base64
import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.certificates import Signed

V1 = "client.authentication.k8s.io/v1"


def encoded(text: str) -> str:
    """As the `…-data` fields have it."""
    return base64.b64encode(text.encode()).decode()


def a_kubeconfig(cluster: dict[str, Any], user: dict[str, Any], name: str = "here", **more: Any) -> dict[str, Any]:
    """One cluster, one user, one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    } | more


def a_plugin(command: str, **fields: Any) -> dict[str, Any]:
    """A user who has nothing but a credential plugin."""
    return {"exec": {"apiVersion": V1, "command": command, "interactiveMode": "IfAvailable"} | fields}


def printing(status: dict[str, Any] | None, version: str = V1) -> str:
    """A plugin that prints this credential."""
    told = json.dumps({"apiVersion": version, "kind": "ExecCredential"} | ({"status": status} if status is not None else {}))
    return f"cat <<'END'\n{told}\nEND"


@dataclass(frozen=True)
class Home:
    """The folder."""

    path: Path

    def write(self, config: dict[str, Any] | str, name: str = ".kube/config") -> Path:
        """A kubeconfig."""
        return self.file(name, config if isinstance(config, str) else json.dumps(config))

    def file(self, name: str, text: str) -> Path:
        """Any file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def program(self, name: str, script: str) -> Path:
        """A shell script; what it was told is in the file `info`."""
        path = self.file(name, f'#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> "$HOME/info"\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def signed(self, name: str, signed: Signed) -> None:
        """A certificate and its key."""
        self.file(f"{name}.crt", signed.certificate)
        self.file(f"{name}.key", signed.key)

    def infos(self) -> list[Any]:
        """What plugins were told, and forgets it."""
        path = self.path / "info"
        told = [json.loads(line) for line in path.read_text().split("\n") if line] if path.exists() else []
        path.unlink(missing_ok=True)
        return told
