"""Whose cluster, and as whom: what kubectl itself would use.

`--kubeconfig` is one file, which has to exist; else the files of KUBECONFIG, else `~/.kube/config`; in a pod that has none of
them, the pod's own ServiceAccount. `--context`, `--cluster`, `--user` and `--as…` override what is there.
"""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from agentidp.kube.config.identity import Source, kubeconfig_files
from agentidp.kube.config.impersonation import Impersonation
from agentidp.kube.config.rest_config import KubeconfigSource, Overrides, PodSource
from kubectl_agentidp.errors import CommandError

DEFAULT_PATH = ".kube/config"


def find_source(options: Namespace, environment: Mapping[str, str]) -> Source:
    """Where server and identity are read from. Raises Failure where there is nothing to read."""
    overrides = _overrides(options)
    files = (Path(options.kubeconfig),) if options.kubeconfig else kubeconfig_files(environment.get("KUBECONFIG", ""))
    files = files or (Path.home() / DEFAULT_PATH,)
    if any(file.exists() for file in files):
        return KubeconfigSource(files, overrides)
    if _is_pod(environment) and not options.kubeconfig and not environment.get("KUBECONFIG"):
        return PodSource(environment, impersonation=overrides.impersonation)
    raise CommandError(
        f"there is no kubeconfig at {', '.join(str(file) for file in files)}.",
        "Set KUBECONFIG, or name a file with --kubeconfig.",
    )


def _overrides(options: Namespace) -> Overrides:
    extra: dict[str, tuple[str, ...]] = {}
    for one in options.as_user_extra:
        key, equals, value = one.partition("=")
        if not equals:
            raise CommandError(f"--as-user-extra {one} has no value.", "Write it as KEY=VALUE.")
        extra[key] = (*extra.get(key, ()), value)
    impersonation = Impersonation(options.as_user or "", options.as_uid or "", tuple(options.as_group), extra)
    return Overrides(options.context or "", options.cluster or "", options.user or "", impersonation)


def _is_pod(environment: Mapping[str, str]) -> bool:
    return "KUBERNETES_SERVICE_HOST" in environment
