"""Credential plugins: commands that print an ExecCredential, run as client-go does (KEP-541).

A credential is kept until it expires, or the API server does not accept it. Where a plugin fails, no request is sent.
"""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from agentidp.kube.config.kubeconfig import ExecConfig
from agentidp.kube.config.rest_config import RestConfig
from agentidp.kube.errors import ConfigError

INFO = "KUBERNETES_EXEC_INFO"


class ExecCredential(Struct, frozen=True, rename="camel"):
    """The credential of a plugin: a token, a client certificate, or both."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None

    def __repr__(self) -> str:
        """The name only, because all fields are secret."""
        return "ExecCredential()"


class _Output(Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    status: ExecCredential | None = None


class _ClusterInfo(Struct, frozen=True, rename="kebab", omit_defaults=True):
    server: str
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority_data: bytes = b""
    proxy_url: str = ""
    disable_compression: bool = False
    config: Any = None


class _Spec(Struct, frozen=True):
    cluster: _ClusterInfo | UnsetType
    interactive: bool


class _Info(Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    spec: _Spec


def stdin_is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


MayRun = Callable[[str], None]
"""Raises ConfigError where the plugin of this path may not be run."""


def any_plugin(_: str) -> None:
    """Allow every plugin to be run."""


class ExecPlugin:
    """The plugin of a configuration, and its last credential."""

    def __init__(
        self,
        config: RestConfig,
        plugin: ExecConfig,
        is_terminal: Callable[[], bool] = stdin_is_terminal,
        may_run: MayRun = any_plugin,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._plugin = plugin
        self._is_terminal = is_terminal
        self._may_run = may_run
        self._clock = clock
        self._credential: ExecCredential | None = None
        self._lock = asyncio.Lock()

    async def credential(self) -> ExecCredential:
        """The credential, from a new run of the plugin where it has expired. Raises ConfigError."""
        async with self._lock:
            if self._credential is None or self._has_expired(self._credential):
                self._credential = _credential(self._plugin, await self._run())
            return self._credential

    def forget(self) -> None:
        """Forget the credential, because the API server does not accept it."""
        self._credential = None

    def _has_expired(self, credential: ExecCredential) -> bool:
        return credential.expiration_timestamp is not None and self._clock() > credential.expiration_timestamp

    async def _run(self) -> bytes:
        interactive = self._interactive()
        command = self._path()
        self._may_run(command)
        environment = {
            **os.environ,
            **{variable.name: variable.value for variable in self._plugin.env},
            INFO: self._info(interactive),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                command, *self._plugin.args, stdin=None if interactive else DEVNULL, stdout=PIPE, env=environment
            )
        except OSError as error:
            raise self._failure(f"cannot be run: {error.strerror}.") from error
        output, _ = await process.communicate()
        if process.returncode:
            raise self._failure(f"failed with exit status {process.returncode}.")
        return output

    def _interactive(self) -> bool:
        """Whether the plugin may ask questions. Raises ConfigError where it has to and cannot."""
        mode = self._plugin.interactive_mode
        if mode == "Always" and not self._is_terminal():
            raise ConfigError(
                f"the credential plugin {self._plugin.command} asks questions, and standard input is not a terminal.",
                "Run this in a terminal, or log in beforehand.",
            )
        return mode == "Always" or (mode != "Never" and self._is_terminal())

    def _path(self) -> str:
        """The path of the command: a name is looked up in the PATH, but never in the current folder."""
        command = self._plugin.command
        if os.sep in command:
            return command
        path = shutil.which(command)
        if path is None or not Path(path).is_absolute():
            raise ConfigError(f"the credential plugin {command} is not installed.", self._plugin.install_hint or _ON_PATH)
        return path

    def _info(self, interactive: bool) -> str:
        cluster = self._cluster() if self._plugin.provide_cluster_info else UNSET
        return msgspec.json.encode(_Info("ExecCredential", self._plugin.api_version, _Spec(cluster, interactive))).decode()

    def _cluster(self) -> _ClusterInfo:
        config = self._config
        return _ClusterInfo(
            config.server,
            config.tls_server_name,
            config.tls.insecure,
            config.tls.authorities.read(),
            config.proxy,
            not config.compressed,
            config.exec_extension,
        )

    def _failure(self, what: str) -> ConfigError:
        return _failure(self._plugin, what, self._plugin.install_hint)


_ON_PATH = "Install it, and have it on the PATH."


def _failure(plugin: ExecConfig, what: str, advice: str = "") -> ConfigError:
    return ConfigError(
        f"the credential plugin {plugin.command} {what}", advice or "Log in as the plugin wants it, and try again."
    )


def _credential(plugin: ExecConfig, output: bytes) -> ExecCredential:
    """The credential in the output. Raises ConfigError, whose message has nothing of the output, which may be secret."""
    try:
        printed = msgspec.json.decode(output, type=_Output)
    except msgspec.DecodeError as error:
        raise _failure(plugin, "printed no ExecCredential.") from error
    credential = printed.status
    if (printed.kind, printed.api_version) != ("ExecCredential", plugin.api_version):
        raise _failure(plugin, f"printed another kind or version than ExecCredential of {plugin.api_version}.")
    if credential is None or not (credential.token or credential.client_certificate_data or credential.client_key_data):
        raise _failure(plugin, "gave neither a token nor a client certificate.")
    if bool(credential.client_certificate_data) != bool(credential.client_key_data):
        raise _failure(plugin, "gave a client certificate without its key, or a key alone.")
    return credential
