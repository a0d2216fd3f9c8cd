"""The kubeconfig: which file, context and identity count."""

from pathlib import Path
from typing import Any

import pytest

from agentidp.kube.config.impersonation import Impersonation
from agentidp.kube.config.rest_config import KubeconfigSource, Overrides, PodSource
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.kubeconfig import find_source
from kubectl_agentidp.main import commands
from tests.support.kubeconfigs import Home, a_kubeconfig

IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
CONFIG = a_kubeconfig({"server": "https://here.example"}, {"token": "t"})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home directory that has no kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Home(tmp_path)


def found(line: str, environment: dict[str, str]) -> Any:
    """Find the source for flags and environment variables."""
    return find_source(commands().parser.parse_args([*line.split(), "status"]), environment)


def test_kubeconfig_flag_counts_before_the_environment_and_the_home_directory(home: Home) -> None:
    """The order is the same as kubectl's."""
    default, named, flagged = (home.write(CONFIG, name) for name in (".kube/config", "named", "flagged"))
    environment = {"KUBECONFIG": str(named)}
    assert found("", {}) == KubeconfigSource((default,))
    assert found("", environment) == KubeconfigSource((named,))
    assert found(f"--kubeconfig {flagged} --context prod", environment) == KubeconfigSource((flagged,), Overrides("prod"))


def test_kubeconfig_flags_override_context_and_identity(home: Home) -> None:
    """Each flag overrides one part of the kubeconfig."""
    home.write(CONFIG)
    line = "--cluster c --user u --as bob --as-uid 7 --as-group g --as-group h --as-user-extra k=v --as-user-extra k=w=x"
    impersonation = Impersonation("bob", "7", ("g", "h"), {"k": ("v", "w=x")})
    assert found(line, {}).overrides == Overrides("", "c", "u", impersonation)


def test_kubeconfig_extra_without_a_value_is_refused(home: Home) -> None:
    """The advice says how to write it."""
    home.write(CONFIG)
    with pytest.raises(CommandError, match="--as-user-extra k has no value") as failure:
        found("--as-user-extra k", {})
    assert "KEY=VALUE" in failure.value.advice


def test_kubeconfig_of_a_pod_is_its_service_account(home: Home) -> None:
    """A kubeconfig file in the pod counts before it, as with kubectl."""
    assert found("--as bob", IN_A_POD) == PodSource(IN_A_POD, impersonation=Impersonation("bob"))
    default = home.write(CONFIG)
    assert found("", IN_A_POD) == KubeconfigSource((default,))


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": "/no/such:/nor/this"}, IN_A_POD | {"KUBECONFIG": "/no/such"}])
def test_kubeconfig_that_does_not_exist_is_named(home: Home, environment: dict[str, str]) -> None:
    """The advice says how to name another file."""
    with pytest.raises(CommandError, match="there is no kubeconfig at") as failure:
        found("", environment)
    assert "--kubeconfig" in failure.value.advice
