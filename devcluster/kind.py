"""A cluster of kind, where a container engine runs: what `make e2e CLUSTER=kind` uses instead of a node of our own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from devcluster.access import Access
from devcluster.errors import DevclusterError
from devcluster.node.requirements import CannotRunHereError

NAME = "agentidp-e2e"
ENGINE = "docker"
ADMIN_NAMESPACE, ADMIN = "kube-system", "agentidp-e2e"
READY_SECONDS = 180
NODE_IMAGE = "KIND_NODE_IMAGE"
"""The variable that names the image of kind's node, and by that the version of Kubernetes. Without it, kind takes its own."""
LAST_LINES = 15


class Kind:
    """The cluster of that name; one that an earlier run left is deleted first.

    It ends with `close` or at the end of a `with` block. Its containers outlive a process that is killed.
    """

    def __init__(self, directory: Path) -> None:
        if missing := [program for program in (ENGINE, "kind") if not shutil.which(program)]:
            raise CannotRunHereError(f"CLUSTER=kind needs {' and '.join(missing)} on PATH")
        self._directory = directory
        self.access = Access(directory / "kubeconfig", directory)

    @classmethod
    def launch(cls, directory: Path) -> Self:
        """A ready cluster; its kubeconfig is in the directory."""
        kind = cls(directory)
        _run("kind", "delete", "cluster", f"--name={NAME}")
        try:
            _run(*create_command(kind.access.kubeconfig, os.environ.get(NODE_IMAGE)))
            kind.access = kind._with_token()
        except BaseException:
            kind.close()
            raise
        return kind

    def provide(self, image: str, context: Path, arguments: Mapping[str, str]) -> None:
        """Build an image, and let pods use it."""
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        _run(ENGINE, "build", "--quiet", *given, f"--tag={image}", str(context))
        _run("kind", "load", "docker-image", image, f"--name={NAME}")

    def close(self) -> None:
        """Delete the cluster of kind."""
        _run("kind", "delete", "cluster", f"--name={NAME}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _with_token(self) -> Access:
        """An admin with a bearer token, where kind gives a client certificate."""
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ADMIN, "namespace": ADMIN_NAMESPACE},
        }
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ADMIN},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": ADMIN, "namespace": ADMIN_NAMESPACE}],
        }
        for manifest in (account, binding):
            self.access.kubectl("apply", "--filename=-", input=json.dumps(manifest))
        return Access(self.access.identity(ADMIN_NAMESPACE, ADMIN), self._directory)


def create_command(kubeconfig: Path, node_image: str | None) -> list[str]:
    """What makes the cluster and waits for it."""
    chosen = [f"--image={node_image}"] if node_image else []
    return ["kind", "create", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}", f"--wait={READY_SECONDS}s", *chosen]


def _run(*command: str) -> None:
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        end = "\n".join(f"    {line}" for line in (result.stdout + result.stderr).splitlines()[-LAST_LINES:])
        raise DevclusterError(f"{' '.join(command[:3])} failed:\n{end}")
