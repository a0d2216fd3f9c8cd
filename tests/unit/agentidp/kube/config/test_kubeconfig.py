"""Kubeconfig files: merged as client-go merges them ("Organizing Cluster Access Using kubeconfig Files", "Merging")."""

from pathlib import Path

import pytest

from agentidp.kube.config.kubeconfig import decode_base64, load_kubeconfig
from agentidp.kube.errors import ConfigError

FIRST = """
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "https://first", certificate-authority: ca.crt}}]
users: [{name: u, user: {exec: {command: ./login, apiVersion: client.authentication.k8s.io/v1}}}]
"""
SECOND = """
current-context: two
clusters: [{name: c, cluster: {server: "https://second"}}, {name: d, cluster: {server: "https://third"}}]
contexts: [{name: one, context: {cluster: c, user: u, namespace: null}}]
"""


def test_kubeconfig_of_several_files_has_the_first_of_each_name(tmp_path: Path) -> None:
    """Paths are relative to the folder of their file, and a file that is not there is left out."""
    for name, text in (("a", FIRST), ("b", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config").write_text(text)
    kubeconfig = load_kubeconfig([tmp_path / "a" / "config", tmp_path / "missing", tmp_path / "b" / "config"])
    assert kubeconfig.current_context == "one"
    assert {name: cluster.server for name, cluster in kubeconfig.clusters.items()} == {
        "c": "https://first",
        "d": "https://third",
    }
    assert kubeconfig.clusters["c"].certificate_authority == str(tmp_path / "a" / "ca.crt")
    plugin = kubeconfig.users["u"].exec
    assert plugin is not None
    assert plugin.command == str(tmp_path / "a" / "login")
    assert kubeconfig.contexts["one"].namespace == ""


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "no YAML": ("{", "is not YAML"),
        "another kind": ("kind: Pod\n", "it is Pod v1, not Config v1"),
        "another type": ("clusters: 7\n", "is not a kubeconfig"),
        "one name twice": ("users: [{name: u, user: {}}, {name: u, user: {}}]\n", "two entries of the name 'u'"),
    }.values(),
)
def test_kubeconfig_that_is_not_valid_is_named(text: str, message: str, tmp_path: Path) -> None:
    """And what is wrong with it."""
    (tmp_path / "config").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_kubeconfig([tmp_path / "config"])


def test_decode_base64_names_the_field_that_is_not_base64() -> None:
    """Line breaks are allowed, as in YAML."""
    assert decode_base64("dmFs\ndWU=\n", "a-field") == b"value"
    with pytest.raises(ConfigError, match="a-field is not base64"):
        decode_base64("no base64!", "a-field")
