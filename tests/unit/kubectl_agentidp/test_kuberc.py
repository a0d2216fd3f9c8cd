"""The kuberc: which file counts, and which credential plugins its policy lets run."""

from pathlib import Path

import pytest

from agentidp.kube.errors import ConfigError
from kubectl_agentidp.kuberc import PluginPolicy, plugin_policy

V1 = "kubectl.config.k8s.io/v1beta1"


def preference(*lines: str) -> str:
    """The text of a kuberc with these fields."""
    return "\n".join(["kind: Preference", f"apiVersion: {V1}", *lines])


POLICIES = {
    "no policy": (preference(), True),
    "AllowAll": (preference("credentialPluginPolicy: AllowAll"), True),
    "DenyAll": (preference("credentialPluginPolicy: DenyAll"), False),
    "an unknown policy": (preference("credentialPluginPolicy: Sometimes"), False),
    "an allowlist with the path": (
        preference("credentialPluginPolicy: Allowlist", "credentialPluginAllowlist: [{command: /bin/login}]"),
        True,
    ),
    "an allowlist with another path": (
        preference("credentialPluginPolicy: Allowlist", "credentialPluginAllowlist: [{command: /bin/other}]"),
        False,
    ),
    "another kind": ("kind: Other\ncredentialPluginPolicy: DenyAll", True),
    "a second document": (f"kind: Other\n---\n{preference('credentialPluginPolicy: DenyAll')}", False),
}


@pytest.mark.parametrize(("text", "allowed"), POLICIES.values(), ids=POLICIES)
def test_plugin_policy_decides_on_a_credential_plugin(text: str, allowed: bool, tmp_path: Path) -> None:
    """`credentialPluginPolicy` of the first `Preference` counts, and an unknown value lets nothing run."""
    file = tmp_path / "kuberc"
    file.write_text(text)
    policy = PluginPolicy(file)
    if allowed:
        policy("/bin/login")
        return
    with pytest.raises(ConfigError, match="does not let the credential plugin /bin/login run"):
        policy("/bin/login")


@pytest.mark.parametrize("text", ["{", "credentialPluginPolicy: [1]", "\0"])
def test_plugin_policy_of_an_unreadable_file_lets_nothing_run(text: str, tmp_path: Path) -> None:
    """The file may forbid the plugin."""
    file = tmp_path / "kuberc"
    file.write_text(text)
    with pytest.raises(ConfigError, match="cannot be read, and may forbid credential plugins"):
        PluginPolicy(file)("/bin/login")


def test_plugin_policy_is_of_the_file_that_kubectl_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`$KUBERC` counts before `~/.kube/kuberc`; two variables turn the file off."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert plugin_policy({}) == PluginPolicy(None)
    default = tmp_path / ".kube" / "kuberc"
    default.parent.mkdir()
    default.touch()
    assert plugin_policy({}) == PluginPolicy(default)
    assert plugin_policy({"KUBERC": "/other"}) == PluginPolicy(Path("/other"))
    assert plugin_policy({"KUBERC": "off"}) == plugin_policy({"KUBECTL_KUBERC": "FALSE"}) == PluginPolicy(None)
