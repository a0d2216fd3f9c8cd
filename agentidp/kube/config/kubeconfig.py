"""Kubeconfig v1: the files, read and merged as client-go's `clientcmd.ClientConfigLoadingRules` does it.

Of several files, the first that has a name or a value decides it. A relative path is relative to the folder of its file.
"""

import binascii
import os
from base64 import b64decode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct, field
from msgspec.structs import replace

from agentidp.kube.errors import ConfigError

TIMESTAMP = "tag:yaml.org,2002:timestamp"


class ExecVariable(Struct, frozen=True):
    """A variable in the environment of a credential plugin."""

    name: str = ""
    value: str = ""


class ExecConfig(Struct, frozen=True, rename="camel"):
    """A credential plugin: a command that prints an ExecCredential."""

    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[ExecVariable, ...] = ()
    api_version: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""
    install_hint: str = ""


class Extension(Struct, frozen=True):
    """An extension of a kubeconfig; credential plugins have one."""

    name: str = ""
    extension: Any = None


class ClusterEntry(Struct, frozen=True, rename="kebab"):
    """A value in the `clusters` of a kubeconfig."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: tuple[Extension, ...] = ()


class UserEntry(Struct, frozen=True, rename="kebab"):
    """A value in the `users` of a kubeconfig."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = field(default="", name="tokenFile")
    as_user: str = field(default="", name="as")
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_user_extra: dict[str, tuple[str, ...]] = {}
    username: str = ""
    password: str = ""
    auth_provider: Any = None
    exec: ExecConfig | None = None

    def __repr__(self) -> str:
        """The name only, because some fields are secret."""
        return "UserEntry()"


class ContextEntry(Struct, frozen=True):
    """A value in the `contexts` of a kubeconfig."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(Struct, frozen=True):
    name: str = ""
    cluster: ClusterEntry = ClusterEntry()

    @property
    def entry(self) -> ClusterEntry:
        return self.cluster


class _NamedUser(Struct, frozen=True):
    name: str = ""
    user: UserEntry = field(default_factory=UserEntry)

    @property
    def entry(self) -> UserEntry:
        return self.user


class _NamedContext(Struct, frozen=True):
    name: str = ""
    context: ContextEntry = ContextEntry()

    @property
    def entry(self) -> ContextEntry:
        return self.context


class _Document(Struct, frozen=True):
    kind: str = "Config"
    api_version: str = field(default="v1", name="apiVersion")
    current_context: str = field(default="", name="current-context")
    clusters: tuple[_NamedCluster, ...] = ()
    users: tuple[_NamedUser, ...] = ()
    contexts: tuple[_NamedContext, ...] = ()


class Kubeconfig(Struct, frozen=True):
    """The merged content of some kubeconfig files."""

    current_context: str = ""
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}


def load_kubeconfig(files: Sequence[Path]) -> Kubeconfig:
    """The merged content of these files, without those that do not exist. Raises ConfigError."""
    merged = Kubeconfig()
    for file in files:
        if file.exists():
            merged = _merged(merged, _read(file))
    return merged


def decode_base64(text: str, what: str) -> bytes:
    """The bytes of a `…-data` field. Raises ConfigError, which names the field."""
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{what} is not base64.") from error


def _merged(first: Kubeconfig, second: Kubeconfig) -> Kubeconfig:
    return Kubeconfig(
        first.current_context or second.current_context,
        second.clusters | first.clusters,
        second.users | first.users,
        second.contexts | first.contexts,
    )


def _read(file: Path) -> Kubeconfig:
    try:
        document = msgspec.convert(_without_null(yaml.load(file.read_text(), _Loader)) or {}, _Document)  # noqa: S506 a SafeLoader
    except OSError as error:
        raise ConfigError(f"the kubeconfig {file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the kubeconfig {file} is not YAML{_place(error)}.") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file} is not a kubeconfig: {error}.") from error
    if (document.kind or "Config", document.api_version or "v1") != ("Config", "v1"):
        raise ConfigError(f"{file} is not a kubeconfig: it is {document.kind} {document.api_version}, not Config v1.")
    folder = file.absolute().parent
    return Kubeconfig(
        document.current_context,
        {name: _cluster_in(folder, cluster) for name, cluster in _by_name(document.clusters, file)},
        {name: _user_in(folder, user) for name, user in _by_name(document.users, file)},
        dict(_by_name(document.contexts, file)),
    )


def _by_name(items: Iterable[Any], file: Path) -> list[tuple[str, Any]]:
    """Each entry with its name. Raises ConfigError where two entries have one name, which would be ambiguous."""
    names = [item.name for item in items]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"the kubeconfig {file} has two entries of the name {name!r}.", "Remove or rename one of them.")
    return [(item.name, item.entry) for item in items]


def _cluster_in(folder: Path, cluster: ClusterEntry) -> ClusterEntry:
    return replace(cluster, certificate_authority=_in(folder, cluster.certificate_authority))


def _user_in(folder: Path, user: UserEntry) -> UserEntry:
    """The user with absolute paths. A command without a separator is no path, but a name for the PATH."""
    plugin = user.exec
    if plugin and os.sep in plugin.command:
        plugin = replace(plugin, command=_in(folder, plugin.command))
    return replace(
        user,
        client_certificate=_in(folder, user.client_certificate),
        client_key=_in(folder, user.client_key),
        token_file=_in(folder, user.token_file),
        exec=plugin,
    )


def _in(folder: Path, path: str) -> str:
    return os.path.normpath(folder / path) if path else ""


def _without_null(value: Any) -> Any:
    """The value without nulls, which mean absence in a kubeconfig, but not in the extensions for plugins."""
    if isinstance(value, dict):
        return {key: item if key == "extension" else _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value if item is not None] if isinstance(value, list) else value


def _place(error: Exception) -> str:
    """The line of the error, without the text of that line."""
    mark = getattr(error, "problem_mark", None)
    return f": see line {mark.line + 1}" if mark else ""


class _Loader(yaml.SafeLoader):
    """A loader that keeps dates as text, as Kubernetes does."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
