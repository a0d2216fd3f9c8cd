"""Which credential plugins a person lets kubectl run: `credentialPluginPolicy` of a kuberc (kubectl's own preferences).

A plugin that kubectl would not run is not run here either.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from agentidp.kube.errors import ConfigError

DEFAULT_PATH = ".kube/kuberc"
VERSION_WITHOUT_POLICY = "kubectl.config.k8s.io/v1alpha1"


class _Allowed(Struct, frozen=True):
    command: str = ""
    name: str = ""


class _Preference(Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""
    credential_plugin_policy: str | None = None
    credential_plugin_allowlist: tuple[_Allowed, ...] | None = None


class PluginPolicy(Struct, frozen=True):
    """The policy of the file; with none, every plugin may be run."""

    file: Path | None

    def __call__(self, plugin: str) -> None:
        """Raises ConfigError where the plugin, an absolute path, may not be run."""
        preference = _read(self.file) if self.file else _Preference()
        policy = preference.credential_plugin_policy or "AllowAll"
        allowed = [_path(one) for one in preference.credential_plugin_allowlist or ()]
        if not (policy == "AllowAll" or (policy == "Allowlist" and plugin in allowed)):
            problem = f"{self.file} does not let the credential plugin {plugin} run."
            raise ConfigError(problem, "Add it to credentialPluginAllowlist.")


def plugin_policy(environment: Mapping[str, str]) -> PluginPolicy:
    """Of the file that kubectl reads: KUBERC, else `~/.kube/kuberc`; each of two variables turns it off."""
    told = environment.get("KUBERC", "")
    if told == "off" or environment.get("KUBECTL_KUBERC", "").lower() == "false":
        return PluginPolicy(None)
    default = Path.home() / DEFAULT_PATH
    return PluginPolicy(Path(told) if told else default if default.exists() else None)


def _read(file: Path) -> _Preference:
    try:
        documents = [msgspec.convert(one or {}, _Preference) for one in _documents(file)]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"the kuberc {file} cannot be read, and may forbid credential plugins.", "Mend it.") from error
    known = (one for one in documents if one.kind == "Preference" and one.api_version != VERSION_WITHOUT_POLICY)
    return next(known, _Preference())


def _documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text()))


def _path(allowed: _Allowed) -> str:
    """By the PATH, where it is a name alone."""
    command = allowed.command or allowed.name
    return command if os.sep in command else shutil.which(command) or ""
