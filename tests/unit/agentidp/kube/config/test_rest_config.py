"""Which API server, and as whom, without one to ask: what a pod is, and what a kubeconfig that cannot be used is told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentidp.kube.config.identity import ClientIdentity, source_of
from agentidp.kube.config.impersonation import Impersonation
from agentidp.kube.config.kubeconfig import load_kubeconfig
from agentidp.kube.config.rest_config import Overrides, PodSource, chosen
from agentidp.kube.errors import ConfigError
from tests.support.certificates import Authority

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """What kubelet mounts."""
    (tmp_path / "ca.crt").write_text(Authority.new("cluster").certificate)
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("talent\n")
    return tmp_path


async def headers_of(identity: ClientIdentity) -> dict[str, str]:
    """The headers of a request."""
    return dict((await identity.credentials()).headers)


async def test_pod_source_is_the_service_account(mounted: Path) -> None:
    """Its token is shown as it is in the file, its authority is trusted, and its namespace is the default one."""
    identity = ClientIdentity(PodSource(POD, mounted))
    assert (identity.config.server, identity.config.namespace) == ("https://10.96.0.1:443", "talent")
    assert await headers_of(identity) == {"Authorization": "Bearer first"}
    before = (await identity.credentials()).tls
    (mounted / "token").write_text("second\n")
    assert await headers_of(identity) == {"Authorization": "Bearer second"}
    assert (await identity.credentials()).tls is before
    (mounted / "ca.crt").write_text(Authority.new("another").certificate)
    assert (await identity.credentials()).tls is not before


async def test_pod_source_reads_a_new_token_beside_a_broken_authority(mounted: Path) -> None:
    """Each file is for itself: a token that has expired is worth nothing."""
    identity = ClientIdentity(PodSource(POD, mounted))
    (mounted / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\nMII")
    (mounted / "token").write_text("second")
    assert await headers_of(identity) == {"Authorization": "Bearer second"}


def test_pod_source_has_brackets_around_ipv6(mounted: Path) -> None:
    """In its server's URL."""
    assert PodSource(POD | {"KUBERNETES_SERVICE_HOST": "fd00::1"}, mounted).read().server == "https://[fd00::1]:443"


async def test_pod_source_can_impersonate(mounted: Path) -> None:
    """`--as` in a pod."""
    identity = ClientIdentity(PodSource(POD, mounted, Impersonation("bob", groups=("a",))))
    headers = (await identity.credentials()).headers
    assert headers[:2] == [("Impersonate-User", "bob"), ("Impersonate-Group", "a")]


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": ""}])
def test_source_fails_without_pod_and_kubeconfig(environment: Mapping[str, str]) -> None:
    """With what to set."""
    with pytest.raises(ConfigError, match=r"no kubeconfig, and this is no pod. Set KUBECONFIG"):
        ClientIdentity.of_environment(environment)


def write(path: Path, user: Any, cluster: Any = None) -> Path:
    """A kubeconfig."""
    cluster = cluster or {"server": "https://here.example"}
    config = {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "here", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
    }
    path.write_text(json.dumps(config))
    return path


TOLD = {
    "no credentials": ({}, "the user of the context has no credentials. Log in again"),
    "an auth-provider": (
        {"auth-provider": {"name": "gcp"}},
        "has an auth-provider, which is not supported. Use an exec",
    ),
    "a group without a user": ({"token": "t", "as-groups": ["g"]}, "but no user. Name the user, too: --as"),
    "half a pair": ({"client-certificate-data": "eA=="}, "without its key. Name it as client-key"),
    "a type": ({"token": 5}, r"is not a kubeconfig: Expected `str`, got `int` - at `\$.users\[0\].user.token`"),
    "no base64": ({"client-certificate-data": "%", "client-key-data": "%"}, "certificate-data is not base64"),
    "a plugin's version": (
        {"exec": {"command": "x", "interactiveMode": "Never"}},
        "no known apiVersion. It should be",
    ),
    "a token file": ({"tokenFile": "missing"}, "the token file .*/missing cannot be read"),
}


@pytest.mark.parametrize(("user", "told"), TOLD.values(), ids=TOLD)
def test_kubeconfig_source_names_what_it_cannot_use(tmp_path: Path, user: Any, told: str) -> None:
    """What it is, and what to do; without a value, which may be a secret."""
    config = write(tmp_path / "config", user)
    with pytest.raises(ConfigError, match=told):
        ClientIdentity(source_of({"KUBECONFIG": str(config)}))


def test_source_has_no_secret_in_its_repr(tmp_path: Path) -> None:
    """Of what is read from a kubeconfig: errors and logs may show it."""
    user = {"token": "hidden-1", "password": "hidden-2", "client-key-data": "aGlkZGVuLTM="}
    loaded = load_kubeconfig([write(tmp_path / "config", user)])
    certified = write(
        tmp_path / "other", {"token": "hidden-1", "client-certificate-data": "eA==", "client-key-data": "aGlkZGVu"}
    )
    told = repr(loaded) + repr(chosen(load_kubeconfig([certified]), Overrides()))
    assert not any(one in told for one in ("hidden", "aGlkZGVu"))


async def test_kubeconfig_source_presents_nothing_over_plain_http(tmp_path: Path) -> None:
    """As with client-go: that is for `kubectl proxy`, and whoever listens learns nothing."""
    config = write(tmp_path / "config", {"token": "t", "as": "bob"}, {"server": "http://127.0.0.1:8001"})
    assert await headers_of(ClientIdentity(source_of({"KUBECONFIG": str(config)}))) == {"Impersonate-User": "bob"}


def test_impersonation_escapes_names_of_extras() -> None:
    """As client-go writes them into names of headers."""
    headers = dict(Impersonation("bob", extra={"a/b %ü": ("1",)}).headers())
    assert headers["Impersonate-Extra-a%2Fb%20%25%C3%BC"] == "1"
