"""The identity of a client: which source counts, and which credentials it presents."""

from pathlib import Path

import pytest

from agentidp.kube.config.identity import ClientIdentity, kubeconfig_files, source_of
from agentidp.kube.config.rest_config import KubeconfigSource, PodSource
from agentidp.kube.errors import ConfigError
from tests.support.kubeconfigs import Home, a_kubeconfig


def identity(tmp_path: Path, user: dict[str, str]) -> ClientIdentity:
    """The identity of a kubeconfig with this user."""
    file = Home(tmp_path).write(a_kubeconfig({"server": "https://here.example"}, user))
    return ClientIdentity(KubeconfigSource((file,)))


async def authorization(client: ClientIdentity) -> str:
    """Return the Authorization header."""
    return dict((await client.credentials()).headers).get("Authorization", "")


async def test_identity_presents_a_token_or_a_password(tmp_path: Path) -> None:
    """A user with neither is refused: no request is sent as `system:anonymous`."""
    assert await authorization(identity(tmp_path, {"token": "t"})) == "Bearer t"
    assert await authorization(identity(tmp_path, {"username": "u", "password": "p"})) == "Basic dTpw"
    with pytest.raises(ConfigError, match="has no credentials"):
        await authorization(identity(tmp_path, {}))


async def test_identity_reads_a_token_file_again(tmp_path: Path) -> None:
    """The kubelet renews the token of a ServiceAccount in place (decision 37)."""
    file = tmp_path / "token"
    file.write_text("first\n")
    client = identity(tmp_path, {"tokenFile": str(file)})
    assert await authorization(client) == "Bearer first"
    file.write_text("the second one\n")
    assert await authorization(client) == "Bearer the second one"


def test_identity_with_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    """No request is sent as nobody."""
    (tmp_path / "token").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        identity(tmp_path, {"tokenFile": str(tmp_path / "token")})


def test_identity_is_of_the_kubeconfig_or_of_the_pod() -> None:
    """KUBECONFIG may list several files; each counts once."""
    assert kubeconfig_files("/a:/b::/a") == (Path("/a"), Path("/b"))
    assert source_of({"KUBECONFIG": "/a:/b"}) == KubeconfigSource((Path("/a"), Path("/b")))
    assert isinstance(source_of({}), PodSource)
