"""Client identity: the headers and the TLS context of requests, always as the files are now.

A change of a kubeconfig, an authority, a client certificate, its key or a token file takes effect with the next request. A new
TLS context is made only when its content has changed, so connections are reused in between.
"""

import base64
import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from agentidp.kube.config.exec_plugin import ExecCredential, ExecPlugin, MayRun, any_plugin
from agentidp.kube.config.reloading import FileValue
from agentidp.kube.config.rest_config import KubeconfigSource, Login, PodSource, RestConfig
from agentidp.kube.config.tls import Tls
from agentidp.kube.errors import ConfigError
from agentidp.runtime.command_line import refuse


class Source(Protocol):
    """The source of a configuration, such as kubeconfig files."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is read from."""

    def read(self) -> RestConfig:
        """The configuration as it is now. Raises ConfigError."""


class RequestCredentials(NamedTuple):
    """The headers by which a request authenticates, and the TLS context of its connection."""

    headers: list[tuple[str, str]]
    tls: ssl.SSLContext


class ClientIdentity:
    """One API server and one identity, from a source that may change."""

    def __init__(self, source: Source, may_run: MayRun = any_plugin) -> None:
        """Read the configuration. Raises ConfigError."""
        self._source = source
        self._may_run = may_run
        self._first = source.read()
        self._parts = FileValue(source.files, self._read)
        self._of_plugin = Tls()

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The identity of KUBECONFIG where it is set, else that of the pod. Raises ConfigError."""
        return cls(source_of(environment))

    @property
    def config(self) -> RestConfig:
        """The configuration at the start. Server, proxy and namespace do not change while a program runs."""
        return self._first

    async def credentials(self) -> RequestCredentials:
        """The credentials of a request that is made now. Raises ConfigError where a credential plugin fails."""
        parts = self._parts.current()
        credential = await parts.plugin.credential() if parts.plugin else ExecCredential()
        token = credential.token or parts.token.current()
        headers = [*parts.config.impersonation.headers(), *_authorization(parts.config.login, token)]
        return RequestCredentials(headers, self._context(parts, credential))

    def renew(self) -> None:
        """Forget the credential of a plugin, because the API server has not accepted it."""
        plugin = self._parts.current().plugin
        if plugin:
            plugin.forget()

    def _context(self, parts: "_Parts", credential: ExecCredential) -> ssl.SSLContext:
        tls = parts.tls.current()
        if not credential.client_certificate_data:
            return tls.context
        current = Tls(
            tls.authorities, credential.client_certificate_data.encode(), credential.client_key_data.encode(), tls.insecure
        )
        if current != self._of_plugin:
            self._of_plugin = current
        return self._of_plugin.context

    def _read(self) -> "_Parts":
        config = self._source.read()
        if config.server != self._first.server:
            raise ConfigError(
                f"the kubeconfig names another API server now: {config.server}.", "Restart the program to go over to it."
            )
        return _Parts(config, self._may_run)


def require_identity(name: str) -> None:
    """End the program of this name with exit status 2 where the environment names no API server or no identity."""
    try:
        ClientIdentity.of_environment()
    except ConfigError as error:
        refuse(name, error, 2)


class _Parts:
    """A configuration with the values of its files. An equal configuration keeps the former parts, and their connections."""

    def __init__(self, config: RestConfig, may_run: MayRun) -> None:
        self.config = config
        self.tls = FileValue(config.tls.files, config.tls.read)
        self.token = FileValue(_token_files(config.login), lambda: _token(config.login))
        self.plugin = ExecPlugin(config, config.login.plugin, may_run=may_run) if config.login.plugin else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parts) and other.config == self.config

    def __hash__(self) -> int:
        return hash(self.config.server)


def source_of(environment: Mapping[str, str]) -> Source:
    """The source for the files that KUBECONFIG lists, else for the pod."""
    files = kubeconfig_files(environment.get("KUBECONFIG", ""))
    return KubeconfigSource(files) if files else PodSource(environment)


def kubeconfig_files(paths: str) -> tuple[Path, ...]:
    """The files that KUBECONFIG lists. As with kubectl, `~` has no meaning in them."""
    return tuple(dict.fromkeys(Path(path) for path in paths.split(os.pathsep) if path))


def _token_files(login: Login) -> Sequence[Path]:
    return [Path(login.token_file)] if login.token_file else []


def _token(login: Login) -> str:
    """The token of the file, if the file exists, else the token itself. Raises ConfigError."""
    if not login.token_file or (login.token and not Path(login.token_file).exists()):
        return login.token
    try:
        token = Path(login.token_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {login.token_file} cannot be read.") from error
    if not token:
        raise ConfigError(f"the token file {login.token_file} is empty.")
    return token


def _authorization(login: Login, token: str) -> list[tuple[str, str]]:
    if token:
        return [("Authorization", f"Bearer {token}")]
    if login.username or login.password:
        credentials = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        return [("Authorization", f"Basic {credentials}")]
    return []
