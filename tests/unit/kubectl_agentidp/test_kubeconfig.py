"""Where server and identity are read from."""

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
    """A home directory without a kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Home(tmp_path)


def found(line: str, environment: dict[str, str]) -> Any:
    """With these flags."""
    return find_source(commands().parser.parse_args([*line.split(), "status"]), environment)


def test_a_flag_comes_before_the_environment_and_that_before_the_home_directory(home: Home) -> None:
    """As with kubectl."""
    default, named, flagged = (home.write(CONFIG, name) for name in (".kube/config", "named", "flagged"))
    environment = {"KUBECONFIG": str(named)}
    assert found("", {}) == KubeconfigSource((default,))
    assert found("", environment) == KubeconfigSource((named,))
    assert found(f"--kubeconfig {flagged} --context prod", environment) == KubeconfigSource((flagged,), Overrides("prod"))


def test_flags_say_which_and_as_whom(home: Home) -> None:
    """Each its own part."""
    home.write(CONFIG)
    line = "--cluster c --user u --as bob --as-uid 7 --as-group g --as-group h --as-user-extra k=v --as-user-extra k=w=x"
    impersonation = Impersonation("bob", "7", ("g", "h"), {"k": ("v", "w=x")})
    assert found(line, {}).overrides == Overrides("", "c", "u", impersonation)


def test_an_extra_without_a_value_is_told(home: Home) -> None:
    """With how to write it."""
    home.write(CONFIG)
    with pytest.raises(CommandError, match="--as-user-extra k has no value") as failure:
        found("--as-user-extra k", {})
    assert "KEY=VALUE" in failure.value.advice


def test_a_pod_without_a_kubeconfig_is_itself(home: Home) -> None:
    """With one, that counts, as with kubectl."""
    assert found("--as bob", IN_A_POD) == PodSource(IN_A_POD, impersonation=Impersonation("bob"))
    default = home.write(CONFIG)
    assert found("", IN_A_POD) == KubeconfigSource((default,))


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": "/no/such:/nor/this"}, IN_A_POD | {"KUBECONFIG": "/no/such"}])
def test_a_file_that_is_not_there_is_named(home: Home, environment: dict[str, str]) -> None:
    """With how to name another one."""
    with pytest.raises(CommandError, match="there is no kubeconfig at") as failure:
        found("", environment)
    assert "--kubeconfig" in failure.value.advice
