"""What a person may say to `make up`: which cluster, and settings for the programs. Read once, refused with a reason."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.errors import DevclusterError

COMPILED = "compiled"
KUBECONFIG = "kubeconfig"
KIND = "kind"


@dataclass(frozen=True)
class UpSettings:
    """`kubeconfig` is None where a control plane of our own is to be started."""

    kubeconfig: Path | None = None
    programs: dict[str, str] = field(default_factory=dict)


def read_settings(arguments: Iterable[str], environment: Mapping[str, str]) -> UpSettings:
    """From the arguments VAR=VALUE and the variables CLUSTER and KUBECONFIG."""
    return UpSettings(_kubeconfig(environment), dict(_program_setting(argument) for argument in arguments))


def _kubeconfig(environment: Mapping[str, str]) -> Path | None:
    """Only an explicit CLUSTER=kubeconfig makes use of a cluster that was not started here."""
    match environment.get("CLUSTER", COMPILED):
        case "compiled":
            return None
        case "kubeconfig":
            return _existing_kubeconfig(environment.get("KUBECONFIG", ""))
        case "kind":
            raise DevclusterError("CLUSTER=kind: make the cluster with `kind create cluster`, then use CLUSTER=kubeconfig")
        case other:
            raise DevclusterError(f"CLUSTER={other}: it should be `compiled` (the default) or `kubeconfig`")


def _existing_kubeconfig(value: str) -> Path:
    path = Path(value)
    if not value or not path.is_file():
        raise DevclusterError(f"CLUSTER=kubeconfig: KUBECONFIG={value!r} should be the path of one kubeconfig file")
    return path.resolve()


def _program_setting(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not equals or not re.fullmatch(r"AGENTIDP_[A-Z0-9_]+", name):
        raise DevclusterError(
            f"{argument!r} is not a setting: it should be AGENTIDP_NAME=VALUE, such as AGENTIDP_LOG_LEVEL=debug"
        )
    return name, value
