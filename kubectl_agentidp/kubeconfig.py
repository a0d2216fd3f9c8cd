"""Whose cluster, and as whom: the kubeconfig that kubectl itself would use, and the context in it.

`--kubeconfig`, else KUBECONFIG, else `~/.kube/config`; in a pod that has none of them, the pod's own ServiceAccount.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from msgspec import Struct

from kubectl_agentidp.failures import Failure

DEFAULT_PATH = "~/.kube/config"
DEFAULT_NAMESPACE = "default"
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
UNCHECKED = (AttributeError, KeyError, TypeError)  # what the Kubernetes client raises where a file has another shape


class Found(Struct, frozen=True):
    """What a kubeconfig says: server and identity, and the namespace that is meant where none is named."""

    configuration: Configuration
    namespace: str


class Kubeconfig(Struct, frozen=True):
    """Its files (as KUBECONFIG separates them), or "" for the pod's ServiceAccount; and a context, if not the current one."""

    paths: str
    context: str | None = None

    async def read(self) -> Found:
        """What it says now. Raises Failure."""
        try:
            return await self._context() if self.paths else _pod()
        except (config.ConfigException, yaml.YAMLError, OSError, *UNCHECKED) as error:
            raise self._failure(error) from error

    async def configuration(self) -> Configuration:
        """Server and identity alone. Raises Failure."""
        return (await self.read()).configuration

    async def _context(self) -> Found:
        found = Configuration()
        loader = await config.load_kube_config(self.paths, self.context, found, persist_config=False)  # type: ignore[no-untyped-call]
        return Found(found, loader.current_context["context"].get("namespace") or DEFAULT_NAMESPACE)

    def _failure(self, error: Exception) -> Failure:
        source = f"the kubeconfig {self.paths}" if self.paths else "the pod's ServiceAccount"
        wanted = f" with context {self.context!r}" if self.context else ""
        return Failure(
            f"{source} cannot be used{wanted}: {'it is no kubeconfig' if isinstance(error, UNCHECKED) else error}",
            "`kubectl config get-contexts` lists what there is; --context and --kubeconfig choose.",
        )


def find_kubeconfig(path: str | None, context: str | None, environment: Mapping[str, str]) -> Kubeconfig:
    """The kubeconfig that kubectl would use. Raises Failure where there is none."""
    chosen = path or environment.get("KUBECONFIG") or _default(environment)
    files = [Path(one).expanduser() for one in chosen.split(os.pathsep) if one]
    if chosen and not any(file.exists() for file in files):
        raise Failure(f"there is no kubeconfig at {chosen}.", "Set KUBECONFIG, or name a file with --kubeconfig.")
    return Kubeconfig(chosen, context)


def _pod() -> Found:
    found = Configuration()
    config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
    return Found(found, POD_NAMESPACE.read_text().strip())


def _default(environment: Mapping[str, str]) -> str:
    in_a_pod = "KUBERNETES_SERVICE_HOST" in environment
    return "" if in_a_pod and not Path(DEFAULT_PATH).expanduser().exists() else DEFAULT_PATH
