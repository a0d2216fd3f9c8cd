"""Which kubeconfig is read, and what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_agentidp.failures import Failure
from kubectl_agentidp.kubeconfig import Kubeconfig, find_kubeconfig

IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path: Path, *, current: str = "prod", **contexts: Any) -> Path:
    """A kubeconfig with a cluster and a user for each context."""
    names = list(contexts)
    config = {
        "current-context": current,
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}.example"}} for name in names],
        "users": [{"name": name, "user": {"token": f"token of {name}"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name} | contexts[name]} for name in names],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config))
    return path


def test_a_flag_comes_before_the_environment_and_that_before_the_home_directory(home: Path) -> None:
    """As with kubectl."""
    default = write(home / ".kube" / "config", prod={})
    named, flagged = write(home / "named", prod={}), write(home / "flagged", prod={})
    assert find_kubeconfig(None, None, {}) == Kubeconfig("~/.kube/config")
    assert default.exists()
    assert find_kubeconfig(None, None, {"KUBECONFIG": str(named)}) == Kubeconfig(str(named))
    assert find_kubeconfig(str(flagged), "prod", {"KUBECONFIG": str(named)}) == Kubeconfig(str(flagged), "prod")


def test_a_pod_without_a_kubeconfig_is_itself(home: Path) -> None:
    """With one, that counts, as with kubectl."""
    assert find_kubeconfig(None, None, IN_A_POD) == Kubeconfig("")
    write(home / ".kube" / "config", prod={})
    assert find_kubeconfig(None, None, IN_A_POD) == Kubeconfig("~/.kube/config")


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": "/no/such:/nor/this"}])
def test_a_file_that_is_not_there_is_named(home: Path, environment: dict[str, str]) -> None:
    """With how to name another one."""
    with pytest.raises(Failure, match="there is no kubeconfig at") as failure:
        find_kubeconfig(None, None, environment)
    assert "--kubeconfig" in failure.value.advice


async def test_the_current_context_counts(tmp_path: Path) -> None:
    """Its server, its user, and its namespace, which is `default` where it has none."""
    path = write(tmp_path / "config", prod={}, test={"namespace": "talent"})
    found = await Kubeconfig(str(path)).read()
    assert (found.configuration.host, found.namespace) == ("http://prod.example", "default")
    assert await found.configuration.get_api_key_with_prefix("BearerToken") == "Bearer token of prod"


async def test_another_context_can_be_chosen(tmp_path: Path) -> None:
    """For one command."""
    path = write(tmp_path / "config", prod={}, test={"namespace": "talent"})
    found = await Kubeconfig(str(path), "test").read()
    assert (found.configuration.host, found.namespace) == ("http://test.example", "talent")


async def test_several_files_are_one_kubeconfig(tmp_path: Path) -> None:
    """As KUBECONFIG lists them; one that is not there is passed over."""
    first, second = write(tmp_path / "first", prod={}), write(tmp_path / "second", current="prod", test={})
    found = await Kubeconfig(f"/no/such:{first}:{second}", "test").read()
    assert found.configuration.host == "http://test.example"


BROKEN = {
    "an empty file": ("", "it is no kubeconfig"),
    "a list": ("- a", "it is no kubeconfig"),
    "no YAML": ("a: [", "while parsing"),
    "no such context": ('{"contexts": [], "clusters": [], "users": []}', "context 'prod'"),
}


@pytest.mark.parametrize(("text", "problem"), BROKEN.values(), ids=BROKEN)
async def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """With how to see what there is."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Failure, match=problem) as failure:
        await Kubeconfig(str(path), "prod").read()
    assert str(path) in failure.value.problem
    assert "kubectl config get-contexts" in failure.value.advice
