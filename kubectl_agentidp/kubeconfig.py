"""The source of the server and the identity: the same that kubectl would use.

The first of these that is given counts: the file of `--kubeconfig`, which has to exist; the files of KUBECONFIG;
`~/.kube/config`; in a pod, its own ServiceAccount. `--context`, `--cluster`, `--user` and `--as…` override the kubeconfig.
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
    """Return the kubeconfig or the pod's ServiceAccount. Raises CommandError if there is neither."""
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
    for text in options.as_user_extra:
        key, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--as-user-extra {text} has no value.", "Write it as KEY=VALUE.")
        extra[key] = (*extra.get(key, ()), value)
    impersonation = Impersonation(options.as_user or "", options.as_uid or "", tuple(options.as_group), extra)
    return Overrides(options.context or "", options.cluster or "", options.user or "", impersonation)


def _is_pod(environment: Mapping[str, str]) -> bool:
    return "KUBERNETES_SERVICE_HOST" in environment
